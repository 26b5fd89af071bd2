import fs from "node:fs";
import path from "node:path";

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-22 20:55:00`, in the host's time zone, as SHOW statements and logs print it. */
export const formatTime = (ms: number): string => {
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

const zone = (): string => {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) {
    return "Z";
  }
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
};

export interface Log {
  readonly info: (where: string, text: string) => void;
  readonly warn: (where: string, text: string) => void;
  /** stdout, which the start script sends to fe.out. */
  readonly out: (text: string) => void;
  /** What no careful operator would let happen; read by tests. */
  readonly crime: (crime: string, detail?: object) => void;
}

/** fe.log and fe.warn.log in `sys_log_dir`; crimes always in the home's own `log/`. */
export const openLog = (directory: string, home: string): Log => {
  fs.mkdirSync(directory, { recursive: true });
  const write = (file: string, line: string) => fs.appendFileSync(path.join(directory, file), line);
  const line = (level: string, where: string, text: string) => {
    const now = Date.now();
    const at = `${formatTime(now)}.${String(now % 1000).padStart(3, "0")}${zone()}`;
    return `${at} ${level} (main|1) [${where}] ${text}\n`;
  };
  return {
    info: (where, text) => write("fe.log", line("INFO", where, text)),
    warn: (where, text) => {
      write("fe.log", line("WARN", where, text));
      write("fe.warn.log", line("WARN", where, text));
    },
    out: (text) => fs.writeSync(1, `[${formatTime(Date.now())}] ${text}\n`),
    crime: (crime, detail = {}) => {
      fs.mkdirSync(path.join(home, "log"), { recursive: true });
      const record = { at: new Date().toISOString(), pid: process.pid, crime, ...detail };
      fs.appendFileSync(path.join(home, "log", "sim-crimes.log"), `${JSON.stringify(record)}\n`);
    },
  };
};
