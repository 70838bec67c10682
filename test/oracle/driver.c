/*
 * Processes and the line protocol. The control process owns a private mount namespace with a
 * tmpfs for the tests; each process of the tests is a child of its own, chrooted into that tmpfs,
 * with its own pair of fifos.
 *
 * usage: driver DIRECTORY     DIRECTORY holds the fifos control.in and control.out
 */
#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char work_dir[4096];
static char root_dir[4200];

static void reserve(struct reply *r, size_t more) {
  if (r->len + more <= r->room) return;
  r->room = (r->len + more) * 2;
  r->text = realloc(r->text, r->room);
  if (!r->text) abort();
}

void reply_raw(struct reply *r, const char *bytes, size_t len) {
  reserve(r, len);
  memcpy(r->text + r->len, bytes, len);
  r->len += len;
}

void reply_hex(struct reply *r, const void *bytes, size_t len) {
  static const char digit[] = "0123456789abcdef";
  const uint8_t *b = bytes;
  reserve(r, 2 * len);
  for (size_t i = 0; i < len; i++) {
    r->text[r->len++] = digit[b[i] >> 4];
    r->text[r->len++] = digit[b[i] & 15];
  }
}

void reply_format(struct reply *r, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof text) abort();
  reply_raw(r, text, (size_t)len);
}

static int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

long unhex(const char *hex, size_t hexlen, uint8_t *out) {
  if (hexlen % 2) return -1;
  for (size_t i = 0; i < hexlen; i += 2) {
    int high = nibble(hex[i]), low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return -1;
    out[i / 2] = (uint8_t)(high << 4 | low);
  }
  return (long)(hexlen / 2);
}

static void write_all(const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(REPLY_FD, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1); /* the tests are gone */
    bytes += n;
    len -= (size_t)n;
  }
}

static void interrupted(int signal) { (void)signal; }

static void set_timer(long us) {
  struct itimerval t = {{0, us}, {0, us}};
  setitimer(ITIMER_REAL, &t, NULL);
}

/* Wait until the coarse clock, the one that stamps files, has moved on. */
static void perform_tick(struct reply *r) {
  struct timespec start, now, nap = {0, 500000};
  clock_gettime(CLOCK_REALTIME_COARSE, &start);
  do {
    nanosleep(&nap, NULL);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  } while (now.tv_sec == start.tv_sec && now.tv_nsec == start.tv_nsec);
  reply_format(r, "0");
}

static int open_fifo(int dir, const char *name, const char *suffix, int flags) {
  char path[300];
  snprintf(path, sizeof path, "%s.%s", name, suffix);
  return openat(dir, path, flags | O_CLOEXEC);
}

static void take_fd(int fd, int wanted) {
  if (fd < 0 || dup3(fd, wanted, O_CLOEXEC) < 0) _exit(2);
  close(fd);
}

/* "uid gid g,g,g": become that user for good. Returns a negated errno. */
static int become(const char *credentials) {
  unsigned uid, gid;
  int used = 0, count = 0;
  gid_t groups[64];
  if (sscanf(credentials, "%u %u %n", &uid, &gid, &used) < 2) return -EINVAL;
  for (const char *p = credentials + used; *p && *p != '-' && count < 64;) {
    char *end;
    groups[count++] = (gid_t)strtoul(p, &end, 10);
    p = *end ? end + 1 : end;
  }
  /* Root stays as it is: a user namespace forbids setgroups, and root needs none. */
  if (uid == 0 && gid == 0 && count == 0) {
    setgroups(0, NULL);
    return 0;
  }
  if (setgroups((size_t)count, groups) < 0) return -errno;
  if (setresgid(gid, gid, gid) < 0) return -errno;
  if (setresuid(uid, uid, uid) < 0) return -errno;
  return 0;
}

static void serve(void (*handle)(char *line, struct reply *r));
static void worker_line(char *line, struct reply *r);

static void worker_main(const char *name, const char *credentials) {
  struct reply hello = {0};
  close(REQUEST_FD);
  close(REPLY_FD);
  take_fd(open_fifo(WORK_FD, name, "in", O_RDONLY), REQUEST_FD);
  take_fd(open_fifo(WORK_FD, name, "out", O_WRONLY), REPLY_FD);
  close(WORK_FD);
  int error = chroot(root_dir) < 0 || chdir("/") < 0 ? -errno : become(credentials);
  umask(022);
  /* set-user-ID made this process undumpable; the tests read /proc/PID/syscall. */
  prctl(PR_SET_DUMPABLE, 1);
  reply_format(&hello, "%d %d\n", error, getpid());
  write_all(hello.text, hello.len);
  free(hello.text);
  if (error) _exit(1);
  serve(worker_line);
}

static void perform_fork(char *args, struct reply *r) {
  char name[64], path[80];
  int used = 0;
  if (sscanf(args, "%63s %n", name, &used) < 1) {
    reply_format(r, "%d", -EINVAL);
    return;
  }
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s.%s", name, i ? "out" : "in");
    if (mkfifoat(WORK_FD, path, 0600) < 0) {
      reply_format(r, "%d", -errno);
      return;
    }
  }
  pid_t pid = fork();
  if (pid == 0) {
    worker_main(name, args + used);
    _exit(0);
  }
  reply_format(r, "%d", pid < 0 ? -errno : pid);
}

/* "MOUNT-FLAGS OPTIONS TYPE SOURCE": what is mounted anew; OPTIONS - for none. Workers of the old one keep it. */
static void perform_fresh(char *args, struct reply *r) {
  char options[200] = "", type[32] = "", source[200] = "";
  unsigned long flags = 0;
  sscanf(args, "%lu %199s %31s %199s", &flags, options, type, source);
  umount2(root_dir, MNT_DETACH);
  const char *given = strcmp(options, "-") ? options : "";
  int error = mount(source, root_dir, type, flags, given) < 0 ? -errno : 0;
  reply_format(r, "%d", error);
}

static void control_line(char *line, struct reply *r) {
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  if (!strncmp(line, "+fork ", 6)) perform_fork(line + 6, r);
  else if (!strncmp(line, "+fresh ", 7)) perform_fresh(line + 7, r);
  else reply_format(r, "%d", -ENOSYS);
}

static void worker_line(char *line, struct reply *r) {
  if (!strncmp(line, "+tree ", 6)) {
    uint8_t path[4097];
    size_t hexlen = strlen(line + 6);
    long len = hexlen < 2 * sizeof path ? unhex(line + 6, hexlen, path) : -1;
    if (len < 0) {
      reply_format(r, "%d", -EINVAL);
      return;
    }
    path[len] = 0;
    perform_tree((char *)path, r);
    return;
  }
  if (!strcmp(line, "+tick")) {
    perform_tick(r);
    return;
  }
  int may_block = line[0] == '&';
  if (!may_block) set_timer(SYNC_LIMIT_US);
  perform_call(line + may_block, r);
  if (!may_block) set_timer(0);
}

/* Read lines, answer each; replies leave together once no whole line is waiting. */
static void serve(void (*handle)(char *line, struct reply *r)) {
  static char buffer[LINE_MAX_BYTES];
  size_t have = 0;
  struct reply r = {0};
  for (;;) {
    ssize_t n = read(REQUEST_FD, buffer + have, sizeof buffer - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0);
    have += (size_t)n;
    char *start = buffer, *end;
    while ((end = memchr(start, '\n', have - (size_t)(start - buffer)))) {
      *end = 0;
      handle(start, &r);
      reply_raw(&r, "\n", 1);
      start = end + 1;
    }
    have -= (size_t)(start - buffer);
    memmove(buffer, start, have);
    if (have == sizeof buffer) _exit(3);
    if (r.len) write_all(r.text, r.len);
    r.len = 0;
  }
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

/* A mount namespace of our own; without root, inside a user namespace where we are root. */
static int private_mounts(int *in_userns) {
  char map[64];
  unsigned uid = geteuid(), gid = getegid();
  *in_userns = uid != 0;
  if (unshare(CLONE_NEWNS | (*in_userns ? CLONE_NEWUSER : 0)) < 0) return -errno;
  if (*in_userns) {
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
  }
  if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0) return -errno;
  return 0;
}

static void prepare_signals(void) {
  struct sigaction quiet = {.sa_handler = interrupted}; /* no SA_RESTART: calls must return */
  sigaction(SIGALRM, &quiet, NULL);
  sigaction(SIGUSR1, &quiet, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv) {
  struct reply hello = {0};
  struct rlimit files;
  int in_userns;
  if (argc != 2 || strlen(argv[1]) > 4000) return 64;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  strcpy(work_dir, argv[1]);
  snprintf(root_dir, sizeof root_dir, "%s/root", work_dir);
  take_fd(open(work_dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC), WORK_FD);
  take_fd(open_fifo(WORK_FD, "control", "in", O_RDONLY), REQUEST_FD);
  take_fd(open_fifo(WORK_FD, "control", "out", O_WRONLY), REPLY_FD);
  int error = private_mounts(&in_userns);
  if (!error && mkdir(root_dir, 0755) < 0 && errno != EEXIST) error = -errno;
  prepare_signals();
  for (int fd = 0; fd < 3; fd++) close(fd); /* so that a test's first descriptor is 0 */
  reply_format(&hello, "%d %d %d\n", error, getpid(), in_userns);
  write_all(hello.text, hello.len);
  if (!error) serve(control_line);
  return 1;
}
