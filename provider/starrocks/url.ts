import { posix } from "node:path";

/** An address as people read it: its user, password, folders and query may be somebody's key to it. */
export const shownUrl = (url: string): string => {
  const { host, pathname, protocol } = new URL(url);
  const folder = posix.dirname(pathname) === "/" ? "" : "/…";
  return `${protocol}//${host}${folder}/${posix.basename(pathname)}`;
};

/** The text of a program with every address in it as people read it: also where a server has led it to another one. */
export const withShownUrls = (text: string): string =>
  text.replaceAll(/https?:\/\/[^\s"'<>]+/g, (url) => (URL.canParse(url) ? shownUrl(url) : "[url]"));
