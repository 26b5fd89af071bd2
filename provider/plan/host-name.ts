const octet = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const ipv4 = new RegExp(`^${octet}(\\.${octet}){3}$`);

/** By its colons, of which an address with a port has one only. */
export const isIpv6 = (text: string): boolean => /^(?=.*:.*:)[\da-f:.]+$/i.test(text);

/** Whether a host can be called so: an IP address, or a DNS name (of digits and dots alone there is none). */
export const isHostName = (text: string): boolean =>
  /^[\d.]+$/.test(text) ? ipv4.test(text) : isIpv6(text) || /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text);

export const hostNameWanted = "must be an IP address or a DNS name";
