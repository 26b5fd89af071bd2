/** A kind of resource, by the name of its handlers in the frozen entry `pulumi-starrocks/provider`. */
export type Kind = "beMember" | "beNode" | "feMember" | "feNode" | "preflight" | "rehearsal" | "release" | "rollout";

/**
 * What the dynamic provider runs for a resource (`__provider`). The state of every resource keeps this text, for ever:
 * `delete` and `refresh` run the text that was recorded. So it says only where the code is; `test/contract/golden` holds
 * it byte for byte. The engine carries and logs it with every call about every resource, so it is short.
 */
export const providerText = (kind: Kind): string =>
  `exports.handler = () => require("pulumi-starrocks/provider").${kind};\n`;
