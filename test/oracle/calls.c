/*
 * One system call by name with arguments from text. Nothing here knows what a call means: the
 * structures are taken apart on the other side.
 */
#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Calls that newer kernels brought; all architectures number them alike. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define CALL(name) {#name, SYS_##name}
static const struct {
  const char *name;
  long number;
} calls[] = {
    CALL(openat), CALL(close), CALL(read), CALL(write), CALL(pread64), CALL(pwrite64), CALL(readv),
    CALL(writev), CALL(preadv), CALL(pwritev), CALL(lseek), CALL(truncate), CALL(ftruncate),
    CALL(fallocate), CALL(statx), CALL(faccessat2), CALL(fchmodat), CALL(fchmodat2), CALL(fchmod),
    CALL(fchownat), CALL(fchown), CALL(utimensat), CALL(linkat), CALL(symlinkat), CALL(readlinkat),
    CALL(unlinkat), CALL(renameat2), CALL(mkdirat), CALL(mknodat), CALL(getdents64), CALL(chdir),
    CALL(fchdir), CALL(chroot), CALL(getcwd), CALL(umask), CALL(dup), CALL(dup3), CALL(pipe2),
    CALL(fcntl), CALL(flock), CALL(fsync), CALL(fdatasync), CALL(sync), CALL(syncfs), CALL(statfs),
    CALL(fstatfs), CALL(mount), CALL(umount2), CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr),
    CALL(setxattr), CALL(lsetxattr), CALL(fsetxattr), CALL(listxattr), CALL(llistxattr),
    CALL(flistxattr), CALL(removexattr), CALL(lremovexattr), CALL(fremovexattr),
    CALL(name_to_handle_at), CALL(open_by_handle_at), CALL(ppoll), CALL(ioctl),
    CALL(copy_file_range), CALL(inotify_init1), CALL(inotify_add_watch), CALL(inotify_rm_watch),
    CALL(prlimit64), CALL(getpid),
};

enum { MAX_ARGS = 6, MAX_IOV = 1100 };

enum kind { WHOLE, USED, VECTOR };

struct output {
  enum kind kind;
  void *bytes;
  size_t len;
};

struct request {
  long number;
  long args[MAX_ARGS];
  int nargs;
  struct output out[MAX_ARGS];
  int nout;
  void *heap[MAX_ARGS + 2 * MAX_IOV];
  int nheap;
};

static void *keep(struct request *q, size_t len) {
  void *p = calloc(1, len ? len : 1);
  if (!p) abort();
  q->heap[q->nheap++] = p;
  return p;
}

static int parse_bytes(struct request *q, const char *hex, size_t hexlen, void **bytes, size_t *len) {
  uint8_t *p = keep(q, hexlen / 2 + 1);
  long n = unhex(hex, hexlen, p);
  if (n < 0) return -1;
  *bytes = p;
  *len = (size_t)n;
  return 0;
}

static void add_output(struct request *q, enum kind kind, void *bytes, size_t len) {
  q->out[q->nout++] = (struct output){kind, bytes, len};
}

/* "HEX,HEX" (filled) or "4,10" (empty); an empty text is a list of none. */
static int parse_vector(struct request *q, char *text, int filled, long *arg) {
  struct iovec *iov = keep(q, sizeof *iov * MAX_IOV);
  int count = 0;
  for (char *item = text; *text && item; count++) {
    char *comma = strchr(item, ',');
    size_t len = comma ? (size_t)(comma - item) : strlen(item);
    if (count == MAX_IOV) return -1;
    if (filled) {
      if (parse_bytes(q, item, len, &iov[count].iov_base, &iov[count].iov_len) < 0) return -1;
    } else {
      iov[count].iov_len = strtoul(item, NULL, 10);
      iov[count].iov_base = keep(q, iov[count].iov_len);
    }
    item = comma ? comma + 1 : NULL;
  }
  if (!filled) add_output(q, VECTOR, iov, (size_t)count);
  *arg = (long)iov;
  return 0;
}

static int parse_arg(struct request *q, char *text, long *arg) {
  void *bytes;
  size_t len;
  switch (text[0]) {
    case 'x':
    case 'b':
      if (parse_bytes(q, text + 1, strlen(text + 1), &bytes, &len) < 0) return -1;
      if (text[0] == 'b') add_output(q, WHOLE, bytes, len);
      *arg = (long)bytes;
      return 0;
    case 'o':
    case 'r':
      len = strtoul(text + 1, NULL, 10);
      bytes = keep(q, len);
      add_output(q, text[0] == 'o' ? WHOLE : USED, bytes, len);
      *arg = (long)bytes;
      return 0;
    case 'w':
    case 'i':
      return parse_vector(q, text + 1, text[0] == 'w', arg);
    default: {
      char *end;
      *arg = text[0] == '-' ? strtol(text, &end, 0) : (long)strtoul(text, &end, 0);
      return *end ? -1 : 0;
    }
  }
}

static int parse_request(struct request *q, char *line) {
  char *rest = line, *token = strsep(&rest, " ");
  size_t i = 0, count = sizeof calls / sizeof calls[0];
  while (i < count && strcmp(calls[i].name, token)) i++;
  if (i == count) return -ENOSYS;
  q->number = calls[i].number;
  while ((token = strsep(&rest, " "))) {
    if (q->nargs == MAX_ARGS || parse_arg(q, token, &q->args[q->nargs]) < 0) return -EBADMSG;
    q->nargs++;
  }
  return 0;
}

static void reply_output(struct reply *r, const struct output *out, long result) {
  size_t left = result > 0 ? (size_t)result : 0;
  reply_raw(r, " ", 1);
  if (out->kind == WHOLE) {
    reply_hex(r, out->bytes, out->len);
  } else if (out->kind == USED) {
    reply_hex(r, out->bytes, left < out->len ? left : out->len);
  } else {
    const struct iovec *iov = out->bytes;
    for (size_t i = 0; i < out->len && left > 0; i++) {
      size_t n = iov[i].iov_len < left ? iov[i].iov_len : left;
      reply_hex(r, iov[i].iov_base, n);
      left -= n;
    }
  }
}

void perform_call(char *line, struct reply *r) {
  static struct request q;
  q.nargs = q.nout = q.nheap = 0;
  memset(q.args, 0, sizeof q.args);
  long result = parse_request(&q, line);
  if (result == 0) {
    const long *a = q.args;
    result = syscall(q.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result < 0) result = -errno;
    reply_format(r, "%ld", result);
    for (int i = 0; i < q.nout; i++) reply_output(r, &q.out[i], result);
  } else {
    reply_format(r, "%ld badrequest", result);
  }
  while (q.nheap > 0) free(q.heap[--q.nheap]);
}
