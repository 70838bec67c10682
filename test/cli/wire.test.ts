/** The frames between attach and a control socket: whatever comes, in whatever pieces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeExit,
  decodeHello,
  encodeFrame,
  FRAME_EXIT,
  FRAME_HELLO,
  FrameError,
  FrameReader,
  PAYLOAD_MAX,
} from '../../host/cli/wire.ts';

describe('frames', () => {
  it('come out as they went in, however they were cut', () => {
    const frame = fc.record({
      type: fc.integer({ min: FRAME_HELLO, max: FRAME_EXIT + 1 }),
      payload: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.array(frame), fc.integer({ min: 1, max: 50 }), (frames, step) => {
        const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
        const reader = new FrameReader();
        const read = [];
        for (let at = 0; at < bytes.length; at += step)
          read.push(...reader.push(bytes.subarray(at, at + step)));
        expect(read.map(({ type, payload }) => ({ type, payload: [...payload] }))).toEqual(
          frames.map(({ type, payload }) => ({ type, payload: [...payload] })),
        );
      }),
    );
  });

  it('of an unknown type, or too long, are refused', () => {
    expect(() => [...new FrameReader().push(Uint8Array.of(0, 0, 0, 0, 0))]).toThrow(FrameError);
    expect(() => [...new FrameReader().push(Uint8Array.of(9, 0, 0, 0, 0))]).toThrow(FrameError);
    const long = encodeFrame(FRAME_HELLO, '');
    new DataView(long.buffer).setUint32(1, PAYLOAD_MAX + 1, true);
    expect(() => [...new FrameReader().push(long)]).toThrow('too long');
  });

  it('with any content either decode or are refused', () => {
    const refusal = (decode: () => unknown) => {
      try {
        decode();
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    };
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const payload = new TextEncoder().encode(text);
        refusal(() => decodeHello(payload));
        refusal(() => decodeExit(payload));
      }),
    );
    expect(decodeHello(new TextEncoder().encode('{"rows":24,"columns":80,"term":"xterm"}'))).toEqual({
      rows: 24,
      columns: 80,
      term: 'xterm',
    });
    expect(decodeExit(new TextEncoder().encode('{"code":3}'))).toBe(3);
  });
});
