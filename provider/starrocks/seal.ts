import { z } from "zod";

const sealSchema = z.object({
  version: z.string(),
  commit: z.string(),
  sha256: z.string(),
  part: z.enum(["fe", "be"]),
});
/** What a verified part of a release says of itself. */
export type Seal = z.infer<typeof sealSchema>;

/** What a seal's text says, if it is one. */
export const sealOf = (text: string | undefined): readonly Seal[] => {
  try {
    return [sealSchema.parse(JSON.parse(text ?? ""))];
  } catch {
    // A file that is not a seal seals nothing: the part is staged again.
    return [];
  }
};
