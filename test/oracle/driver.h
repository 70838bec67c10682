/*
 * The oracle's driver: system calls on the host's own kernel, asked for over a line protocol.
 *
 * A request is one line, a reply is one line, in the same order. Tokens are parted by one space.
 *
 *   request  [&]NAME ARG*          NAME a system call (calls.c) or an operation led by '+'
 *   reply    RESULT OUT*           RESULT >= 0, or a negated errno
 *
 *   ARG  123, -1, 0x10     a number
 *        xHEX              a pointer to these bytes, followed by a NUL
 *        bHEX              a pointer to these bytes, which come back as an OUT
 *        o64               a pointer to 64 bytes, zeroed, which come back as an OUT
 *        r64               the same, but only RESULT bytes come back
 *        wHEX,HEX          an iovec list with these bytes
 *        i4,10             an iovec list of buffers of these sizes; RESULT bytes come back
 *
 * A call that would block for ever is interrupted after SYNC_LIMIT_US and gives EINTR, or what it
 * had done. Led by '&' it may block as long as it likes; SIGUSR1 interrupts it.
 */
#ifndef ORACLE_DRIVER_H
#define ORACLE_DRIVER_H

#include <stddef.h>
#include <stdint.h>

enum {
  REQUEST_FD = 1000, /* above every descriptor that a test opens */
  REPLY_FD = 1001,
  WORK_FD = 1002,     /* control process only: the directory with the fifos */
  SYNC_LIMIT_US = 150000,
  LINE_MAX_BYTES = 4 << 20,
};

/* Growing text of a reply. */
struct reply {
  char *text;
  size_t len;
  size_t room;
};

void reply_raw(struct reply *r, const char *bytes, size_t len);
void reply_hex(struct reply *r, const void *bytes, size_t len);
void reply_format(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes of hex text; the length is returned, -1 when it is no hex. */
long unhex(const char *hex, size_t hexlen, uint8_t *out);

/* calls.c: perform "NAME ARG*" and append the reply, without the line's end. */
void perform_call(char *line, struct reply *r);

/* tree.c: append one OUT for each entry under a path. */
void perform_tree(const char *path, struct reply *r);

#endif
