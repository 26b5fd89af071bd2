import { readdirSync } from "node:fs";
import { command, commandOrThrow } from "../command.js";

/** The switch that the hosts of a fleet hang on, with an address by which this machine reaches them. No route leads outside. */
export class Network {
  readonly bridge: string;
  /** A switch without power, for hosts that are cut off: neither side of the cable sees its link go down. */
  readonly deadBridge: string;

  constructor(private readonly number: number) {
    // Interface names have 15 characters at most; the pid tells whose it is.
    this.bridge = `f${number}-${process.pid}`;
    this.deadBridge = `f${number}x-${process.pid}`;
  }

  address(index: number): string {
    return `10.77.${this.number}.${11 + index}`;
  }

  cable(index: number): Cable {
    return new Cable(this, this.card(index), this.address(index), this.mac(11 + index));
  }

  /** Names of all network interfaces of this machine that a fleet of so many hosts has. */
  interfaces(hosts: number): string[] {
    return [this.bridge, this.deadBridge, ...Array.from({ length: hosts }, (_, index) => this.card(index))];
  }

  async start(): Promise<void> {
    await this.removeStale();
    await ip(
      // Its own MAC address, or it would take over that of a port and change with it.
      `link add name ${this.bridge} address ${this.mac(1)} type bridge`,
      `address add 10.77.${this.number}.1/24 dev ${this.bridge}`,
      `link set ${this.bridge} up`,
      `link add name ${this.deadBridge} type bridge`,
    );
  }

  /** Who holds a number is alone with it: a switch of the same addresses is a dead fleet's, and would take our packets. */
  private async removeStale(): Promise<void> {
    const ours = new RegExp(`^f${this.number}(x|h\\d+)?-`);
    await Promise.all(
      readdirSync("/sys/class/net")
        .filter((name) => ours.test(name))
        .map((name) => command("ip", ["link", "delete", name])),
    );
  }

  private card(index: number): string {
    return `f${this.number}h${index}-${process.pid}`;
  }

  private mac(last: number): string {
    return `02:77:00:00:${hex(this.number)}:${hex(last)}`;
  }
}

/** The cable between one host and the switch: a pair of virtual Ethernet cards. */
export class Cable {
  private cut = false;
  private plugged = false;

  constructor(
    private readonly network: Network,
    private readonly card: string,
    readonly address: string,
    private readonly mac: string,
  ) {}

  async plug(pid: number): Promise<void> {
    await ip(
      `link add name ${this.card} type veth peer name eth0 address ${this.mac} netns ${pid}`,
      `link set dev ${this.card} ${this.master()} up`,
      // Without this, a dead host would show itself by unanswered ARP: "no route to host" instead of silence.
      `neighbour replace ${this.address} lladdr ${this.mac} dev ${this.network.bridge} nud permanent`,
    );
    this.plugged = true;
  }

  async unplug(): Promise<void> {
    if (this.plugged) {
      this.plugged = false;
      // Fails when the host has died and taken its end of the cable along.
      await command("ip", ["link", "delete", this.card]);
    }
  }

  async setCut(cut: boolean): Promise<void> {
    this.cut = cut;
    if (this.plugged) {
      await ip(`link set dev ${this.card} ${this.master()}`);
    }
  }

  /** Limits what goes to the host (bytes per second). What comes from it is limited at its own card, with the same words. */
  async setRate(rate: number | undefined): Promise<void> {
    await command("tc", rateArguments(this.card, rate));
  }

  private master(): string {
    return `master ${this.cut ? this.network.deadBridge : this.network.bridge}`;
  }
}

export const rateArguments = (card: string, rate: number | undefined): string[] =>
  rate === undefined
    ? ["qdisc", "delete", "dev", card, "root"]
    : ["qdisc", "replace", "dev", card, "root", "tbf", "rate", `${rate * 8}bit`, "burst", "32kb", "latency", "400ms"];

const ip = async (...lines: readonly string[]): Promise<void> => {
  await commandOrThrow("ip", ["-batch", "-"], { stdin: `${lines.join("\n")}\n` });
};

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
