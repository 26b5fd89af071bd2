import type { ReportRequest } from "../../thrift/structs.js";
import type { NodeRow } from "../catalog/state.js";

export interface DiskReport {
  readonly total: number;
  readonly used: number;
  readonly available: number;
}

/** What BEs said of their disks, and when of their tablets; the leader's memory only. */
export class Disks {
  readonly #reports = new Map<string, DiskReport>();
  readonly #counts = new Map<string, number>();
  readonly #tabletReports = new Map<number, number>();

  take({ backend, disks }: ReportRequest): void {
    if (disks === undefined) {
      return;
    }
    const name = `${backend.host}:${backend.bePort}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    const all = [...disks.values()];
    const sum = (pick: (disk: (typeof all)[number]) => number) => all.reduce((total, disk) => total + pick(disk), 0);
    this.#reports.set(name, {
      total: sum((disk) => disk.diskTotalCapacity),
      used: sum((disk) => disk.dataUsedCapacity),
      available: sum((disk) => disk.diskAvailableCapacity ?? 0),
    });
  }

  of({ host, bePort }: NodeRow): DiskReport | undefined {
    return this.#reports.get(`${host}:${bePort}`);
  }

  /** How often a BE has told of its disks. */
  count({ host, bePort }: NodeRow): number {
    return this.#counts.get(`${host}:${bePort}`) ?? 0;
  }

  tabletsTold({ id }: NodeRow): void {
    this.#tabletReports.set(id, Date.now());
  }

  /** When the tablets of a BE were last compared with the metadata. */
  tabletsToldAt({ id }: NodeRow): number | undefined {
    return this.#tabletReports.get(id);
  }
}
