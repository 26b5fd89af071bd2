import { isIP } from "node:net";

/** Whether a host can be called so: an IP address, or a DNS name (one of digits and dots alone is no name). */
export const isHostName = (text: string): boolean =>
  isIP(text) !== 0 || (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && !/^[\d.]+$/.test(text));

export const hostNameWanted = "must be an IP address or a DNS name";
