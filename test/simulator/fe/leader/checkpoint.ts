import { type Frontend, isJoined } from "../frontend.js";
import { fetchHttp } from "../http/fetch.js";
import { imageSubdirs, writeImageText } from "../meta/image.js";
import { sourceAddress } from "../settings/address.js";

const where = "Checkpoint.runAfterCatalogReady():233";

const push = async (fe: Frontend, index: number, subdir: string): Promise<boolean> => {
  const others = fe.catalog.state.frontends.filter((row) => row.name !== fe.group.self.name && isJoined(fe, row));
  const pushes = await Promise.all(
    others.map(async ({ host }) => {
      const path = `/put?version=${index}&port=${fe.ports.http}&subdir=${subdir}`;
      const target = { host, port: fe.ports.http, path, localAddress: sourceAddress(fe.ip), timeoutMs: 10_000 };
      const answer = await fetchHttp(target).catch(() => undefined);
      return answer?.status === 200;
    }),
  );
  const succeeded = pushes.filter(Boolean).length;
  fe.log.info(
    "CheckpointController.pushImage():293",
    `push image.${index} from subdir [${subdir}] to other nodes. totally ${others.length} nodes, push succeeded ${succeeded} nodes`,
  );
  return succeeded === others.length;
};

const checkpoint = async (fe: Frontend): Promise<void> => {
  const { checkpoint: rolled } = fe.lifecycle;
  if (rolled === undefined || rolled.index <= fe.lifecycle.imageIndex) {
    return;
  }
  fe.log.info(where, `begin to generate new image: image.${rolled.index}`);
  const subdirs = imageSubdirs(fe.features);
  for (const subdir of subdirs) {
    writeImageText(fe.metaDir, subdir, rolled.index, rolled.text);
  }
  fe.lifecycle.imageIndex = rolled.index;
  fe.log.info(where, `checkpoint finished save image.${rolled.index}`);
  const everywhere = await Promise.all(subdirs.map((subdir) => push(fe, rolled.index, subdir)));
  if (everywhere.every(Boolean)) {
    fe.group.compact(rolled.index);
  }
};

/** The leader looks once a cycle whether the journal was rolled, and then writes and distributes an image. */
export const startCheckpoints = (fe: Frontend): (() => void) => {
  const timer = setInterval(() => {
    if (!fe.group.isLeader() || !fe.lifecycle.ready) {
      return;
    }
    checkpoint(fe).catch((error: Error) => fe.log.warn(where, `checkpoint failed: ${error.message}`));
  }, fe.options.checkpointIntervalMs);
  return () => clearInterval(timer);
};
