import assert from "node:assert/strict";
import { secretSettings } from "../../../provider/starrocks/secret-settings.js";

describe("settings that nobody may see", () => {
  const secret = [
    "aws_s3_access_key",
    "aws_s3_secret_key",
    "azure_blob_sas_token",
    "azure_blob_shared_key",
    "object_storage_access_key_id",
    "object_storage_secret",
    "gcp_gcs_service_account_private_key",
    "ssl_keystore_password",
    "authentication_ldap_simple_bind_root_pwd",
    "auth_token",
    "OAUTH2_CLIENT_SECRET",
  ];
  for (const key of secret) {
    it(key, () => assert.ok(secretSettings([[key, "hunter2"]]).includes("hunter2")));
  }

  for (const [key, value] of [
    ["mem_limit", "hunter2"],
    ["ssl_private_key_path", "/etc/ssl/key.pem"],
    ["enable_token_check", "true"],
    ["primary_key_limit_size", "1000000"],
  ] as const) {
    it(`but not ${key} = ${value}`, () => assert.deepEqual(secretSettings([[key, value]]), []));
  }

  it("also as the start scripts evaluate them, without quotes", () => {
    assert.ok(secretSettings([["AWS_SECRET_ACCESS_KEY", '"hunter2"']]).includes("hunter2"));
  });
});
