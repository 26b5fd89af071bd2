import assert from "node:assert/strict";
import { shownUrl, withShownUrls } from "../../../provider/starrocks/url.js";

describe("addresses as people read them", () => {
  const cases: readonly (readonly [url: string, shown: string])[] = [
    ["https://h/s.tar.gz", "https://h/s.tar.gz"],
    ["http://h:8080/a/b/s.tar.gz", "http://h:8080/…/s.tar.gz"],
    ["https://user:key@h/a/s.tar.gz?X-Amz-Signature=key#key", "https://h/…/s.tar.gz"],
    ["https://key@h", "https://h/"],
  ];
  for (const [url, shown] of cases) {
    it(`${url}: ${shown}`, () => assert.equal(shownUrl(url), shown));
  }

  it("are found in what a program says", () => {
    assert.equal(
      withShownUrls('https://u:*key*@h/a/s.gz?sig=key:\n2026-11-26 ERROR 404, see "http://other/x?key"; http://[key'),
      'https://h/…/s.gz\n2026-11-26 ERROR 404, see "http://other/x"; [url]',
    );
  });
});
