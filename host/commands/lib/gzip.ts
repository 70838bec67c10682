/** gzip by the platform's compression streams, between chunks of bytes. */

type Bytes = Uint8Array<ArrayBuffer>;

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  stream: { readable: ReadableStream<Bytes>; writable: WritableStream<BufferSource> },
): AsyncGenerator<Uint8Array> {
  const writer = stream.writable.getWriter();
  const feeding = (async () => {
    for await (const chunk of chunks) await writer.write(new Uint8Array(chunk));
    await writer.close();
  })();
  // What goes wrong there is met by who reads here.
  feeding.catch(() => {});
  const reader = stream.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    yield value;
  }
  await feeding;
}

export function compressed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(chunks, new CompressionStream('gzip') as never);
}

export function decompressed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(chunks, new DecompressionStream('gzip') as never);
}

/** Decompressed if it begins as gzip does. */
export async function* maybeDecompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return;
  const all = (async function* () {
    yield first.value;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  })();
  yield* first.value[0] === 0x1f && first.value[1] === 0x8b ? decompressed(all) : all;
}
