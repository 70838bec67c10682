/*
 * A pseudo-terminal of the host's kernel, driven by lines on standard input, each answered by one
 * line. Bytes are hexadecimal.
 *
 *   n            a new pseudo-terminal, both ends non-blocking           ok
 *   s TERMIOS    set the terminal (TCSETS, struct termios)               ok
 *   t BYTES      type: write to the master                               number written or -errno
 *   o BYTES      a program's output: write to the terminal               number written or -errno
 *   d SIZE       read the terminal, SIZE bytes at most, until EAGAIN     what each read gave
 *   m            read the master until EAGAIN                            bytes
 *   i            bytes that can be read (FIONREAD)                       number
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The kernel's struct termios, which is not the C library's. */
#define KERNEL_TCSETS 0x5402
#define MAX_BYTES 65536
/* Reads of one line "d": an end of file is a read of nothing, so there may be many. */
#define MAX_READS 10000

static int master = -1, terminal = -1;
static uint8_t bytes[MAX_BYTES];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(2);
}

static size_t unhex(const char *text) {
  size_t n = 0;
  unsigned byte;
  while (n < sizeof bytes && sscanf(text, "%2x", &byte) == 1) {
    bytes[n++] = (uint8_t)byte;
    text += 2;
  }
  return n;
}

static void hex(const uint8_t *from, size_t n) {
  for (size_t i = 0; i < n; i++) printf("%02x", from[i]);
}

static void renew(void) {
  if (master >= 0) close(terminal), close(master);
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (master < 0) fail("open /dev/ptmx");
  int unlock = 0;
  if (ioctl(master, TIOCSPTLCK, &unlock)) fail("TIOCSPTLCK");
  terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (terminal < 0) fail("TIOCGPTPEER");
}

/* What was typed is processed by a worker of the kernel's; asking an empty terminal waits for it. */
static void settle(void) {
  struct pollfd p = {terminal, POLLIN, 0};
  poll(&p, 1, 0);
  usleep(100);
}

static void drain(size_t size) {
  settle();
  for (int i = 0; i < MAX_READS; i++) {
    ssize_t n = read(terminal, bytes, size);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) printf("-%d", errno);
    else hex(bytes, (size_t)n);
    printf(",");
    if (n < 0) break;
  }
}

static void drain_master(void) {
  for (;;) {
    ssize_t n = read(master, bytes, sizeof bytes);
    if (n <= 0) break;
    hex(bytes, (size_t)n);
  }
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    const char *rest = strlen(line) > 2 ? line + 2 : "";
    size_t n = line[0] == 'd' ? 0 : unhex(rest);
    ssize_t done = 0;
    int count = 0;
    switch (line[0]) {
    case 'n':
      renew();
      printf("ok");
      break;
    case 's':
      if (n != 36 || ioctl(terminal, KERNEL_TCSETS, bytes)) fail("TCSETS");
      printf("ok");
      break;
    case 't':
    case 'o':
      done = write(line[0] == 't' ? master : terminal, bytes, n);
      printf("%ld", done < 0 ? (long)-errno : (long)done);
      break;
    case 'd':
      drain((size_t)atol(rest));
      break;
    case 'm':
      drain_master();
      break;
    case 'i':
      if (ioctl(terminal, FIONREAD, &count)) fail("FIONREAD");
      printf("%d", count);
      break;
    default:
      fprintf(stderr, "no such command: %s", line);
      return 2;
    }
    putchar('\n');
  }
  return 0;
}
