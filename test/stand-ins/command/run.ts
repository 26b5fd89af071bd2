// Stand-in for @pulumi/command: one run of a command, here or on a host.

export type Props = Readonly<Record<string, unknown>>;

/** One run of a command: its text, stdin, and variables; `props` are the resource's inputs. */
export interface Run {
  readonly text: string;
  readonly props: Props;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** The error of a command that failed, worded as the real plugin words it. */
export const failed = (text: string, code: number | null, output: RunOutput): Error =>
  new Error(`Process exited with status ${code}: running ${JSON.stringify(text)}:\n${output.stderr}${output.stdout}`);
