/*
 * The benchmark's operations as plain system calls on a tmpfs: the floor beneath everything that
 * traps. Driven by lines on stdin (host/bench/native.ts), one answer line each:
 *
 *     prepare FIXTURE                  ok | error REASON
 *     measure OP SLICE_NS WARMUP_NS    ok SAMPLE SAMPLE ...   ns per operation, one per batch
 *                                      (no samples: there is no such operation here)
 *     scale NAMES                      ok CREATE LOOKUP LIST REMOVE   ns per name
 *
 * The fixtures, the names and the random orders are those of host/bench/fixture.ts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 1000, FILE_SIZE = 4096, LIST_NAMES = 2000, SMALL_NAMES = 1000, HOT_NAMES = 1000 };
enum { PATH_LEN = 64, SAMPLES_MAX = 4096, SAMPLES_MIN = 3, COUNT_MAX = 1 << 20, SCALE_LOOKUPS = 100000 };
static const double BATCH_NS = 1e6;

static uint32_t state;
static uint32_t big_names;
static char paths[FILES][PATH_LEN];
static char renamed[FILES][PATH_LEN];
static char created[FILES][PATH_LEN];
static char made[FILES][PATH_LEN];
static int fds[FILES];
static char page[FILE_SIZE];
static unsigned at;
/* Every result ends up here; volatile, so that none may be left out. */
static volatile uint64_t sink;

static double now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Marsaglia's xorshift, 13-17-5, as in assembly/abi/bench.ts. */
static uint32_t draw(uint32_t n) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return ((uint64_t)state * n) >> 32;
}

static void write_name(char *to, uint32_t index) {
  to[0] = 'f';
  for (int i = 8; i >= 1; i--, index >>= 4) to[i] = "0123456789abcdef"[index & 15];
  to[9] = 0;
}

/* A failed call inside a measurement makes the measurement worthless. */
static long must(long result, const char *what) {
  if (result < 0) {
    printf("error %s: %s\n", what, strerror(errno));
    fflush(stdout);
    exit(1);
  }
  return result;
}

static void shuffle(unsigned *order) {
  for (unsigned i = 0; i < FILES; i++) order[i] = i;
  for (unsigned i = FILES - 1; i > 0; i--) {
    unsigned j = draw(i + 1), held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
}

static unsigned next_file(void) {
  unsigned was = at;
  if (++at == FILES) at = 0;
  return was;
}

/* ── fixtures ─────────────────────────────────────────────────────────────────────────────── */

static void make_files(void) {
  static char plain[FILES][PATH_LEN], dirs[FILES][PATH_LEN];
  char path[PATH_LEN];
  unsigned n = 0, order[FILES];
  for (int d = 0; d < 10; d++) {
    snprintf(path, sizeof path, "d%d", d);
    must(mkdir(path, 0777), path);
    for (int e = 0; e < 10; e++) {
      snprintf(path, sizeof path, "d%d/e%d", d, e);
      must(mkdir(path, 0777), path);
      for (int g = 0; g < 2; g++) {
        snprintf(path, sizeof path, "d%d/e%d/g%d", d, e, g);
        must(mkdir(path, 0777), path);
        for (int f = 0; f < 5; f++, n++) {
          snprintf(dirs[n], PATH_LEN, "d%d/e%d/g%d", d, e, g);
          snprintf(plain[n], PATH_LEN, "d%d/e%d/g%d/f%d", d, e, g, f);
          int fd = must(open(plain[n], O_WRONLY | O_CREAT | O_TRUNC, 0666), plain[n]);
          must(write(fd, page, FILE_SIZE), "write");
          must(close(fd), "close");
        }
      }
    }
  }
  shuffle(order);
  for (unsigned i = 0; i < FILES; i++) fds[i] = must(open(plain[order[i]], O_RDWR), "open");
  shuffle(order);
  for (unsigned i = 0; i < FILES; i++) {
    memcpy(paths[i], plain[order[i]], PATH_LEN);
    snprintf(renamed[i], PATH_LEN, "%.40s.renamed", paths[i]);
  }
  shuffle(order);
  for (unsigned i = 0; i < FILES; i++) {
    snprintf(created[i], PATH_LEN, "%.40s/n%u", dirs[order[i]], i);
    snprintf(made[i], PATH_LEN, "%.40s/m%u", dirs[order[i]], i);
  }
}

static char *name_in(char *path, const char *dir, uint32_t index) {
  size_t len = strlen(dir);
  memcpy(path, dir, len);
  path[len] = '/';
  write_name(path + len + 1, index);
  return path;
}

static void make_names(const char *dir, uint32_t names) {
  char path[PATH_LEN];
  must(mkdir(dir, 0777), dir);
  for (uint32_t i = 0; i < names; i++) {
    int fd = must(open(name_in(path, dir, i), O_WRONLY | O_CREAT | O_TRUNC, 0666), path);
    must(close(fd), "close");
  }
}

static int prepare(const char *fixture) {
  if (!strcmp(fixture, "files")) make_files();
  else if (!strcmp(fixture, "list")) make_names("list", LIST_NAMES);
  else if (!strcmp(fixture, "small")) make_names("small", SMALL_NAMES);
  else if (!strcmp(fixture, "big")) make_names("big", big_names);
  else return 0;
  return 1;
}

/* ── operations: each runs `count` times ──────────────────────────────────────────────────── */

static void op_stat(unsigned count) {
  struct stat st;
  while (count--) {
    must(stat(paths[next_file()], &st), "stat");
    sink += st.st_size + st.st_mode + st.st_nlink + st.st_mtim.tv_nsec;
  }
}

static void op_open_close(unsigned count) {
  while (count--) {
    int fd = must(open(paths[next_file()], O_RDONLY), "open");
    sink += fd;
    must(close(fd), "close");
  }
}

static void op_pread(unsigned count) {
  while (count--) {
    unsigned i = next_file();
    sink += must(pread(fds[i], page, FILE_SIZE, 0), "pread") + page[i];
  }
}

static void op_pwrite(unsigned count) {
  while (count--) {
    unsigned i = next_file();
    page[i]++;
    sink += must(pwrite(fds[i], page, FILE_SIZE, 0), "pwrite");
  }
}

static void op_create_write_unlink(unsigned count) {
  while (count--) {
    const char *path = created[next_file()];
    int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666), "open");
    sink += must(write(fd, page, FILE_SIZE), "write");
    must(close(fd), "close");
    must(unlink(path), "unlink");
  }
}

static void op_rename_2x(unsigned count) {
  while (count--) {
    unsigned i = next_file();
    must(rename(paths[i], renamed[i]), "rename");
    must(rename(renamed[i], paths[i]), "rename");
  }
}

static unsigned list_dir(const char *path) {
  unsigned names = 0;
  DIR *dir = opendir(path);
  must(dir ? 0 : -1, path);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] != '.') names++;
    sink += entry->d_name[0];
  }
  closedir(dir);
  return names;
}

static void op_readdir(unsigned count) {
  while (count--) sink += list_dir("list");
}

static void op_mkdir_rmdir(unsigned count) {
  while (count--) {
    const char *path = made[next_file()];
    must(mkdir(path, 0777), "mkdir");
    must(rmdir(path), "rmdir");
  }
}

static void lookups(const char *dir, uint32_t names, uint32_t hot, unsigned count) {
  char path[PATH_LEN];
  uint32_t stride = hot ? names / hot : 1;
  while (count--) sink += must(access(name_in(path, dir, draw(hot ? hot : names) * stride), F_OK), path);
}

static void op_lookup_1k(unsigned count) { lookups("small", SMALL_NAMES, 0, count); }
static void op_lookup_hot(unsigned count) { lookups("big", big_names, HOT_NAMES, count); }
static void op_lookup_random(unsigned count) { lookups("big", big_names, 0, count); }

static const struct {
  const char *name;
  void (*run)(unsigned count);
} operations[] = {
    {"stat", op_stat},
    {"open_close", op_open_close},
    {"pread_4k", op_pread},
    {"pwrite_4k", op_pwrite},
    {"create_write_unlink", op_create_write_unlink},
    {"rename_2x", op_rename_2x},
    {"readdir_2000", op_readdir},
    {"mkdir_rmdir", op_mkdir_rmdir},
    {"lookup_1k", op_lookup_1k},
    {"lookup_1m_hot", op_lookup_hot},
    {"lookup_1m_random", op_lookup_random},
};

/* ── measuring ────────────────────────────────────────────────────────────────────────────── */

static double timed(void (*run)(unsigned), unsigned count) {
  double start = now_ns();
  run(count);
  return now_ns() - start;
}

/* Batches of about a millisecond, as host/bench/measure.ts cuts them. */
static void measure(void (*run)(unsigned), double slice_ns, double warmup_ns) {
  unsigned count = 1, samples = 0;
  double spent = 0;
  do {
    double cost = timed(run, count) + 1;
    double wanted = count * BATCH_NS / cost, most = count * 8.0;
    if (wanted > most) wanted = most;
    if (wanted > COUNT_MAX) wanted = COUNT_MAX;
    count = wanted < 1 ? 1 : wanted;
    spent += cost;
    /* Without a warm-up to find the batch's size in, this does. */
  } while (spent < warmup_ns || (spent < 2 * BATCH_NS && count < COUNT_MAX));
  printf("ok");
  for (spent = 0; samples < SAMPLES_MAX && (spent < slice_ns || samples < SAMPLES_MIN); samples++) {
    double cost = timed(run, count);
    spent += cost;
    printf(" %.3f", cost / count);
  }
  printf("\n");
}

static void scale(uint32_t names) {
  char dir[PATH_LEN / 2], path[PATH_LEN];
  snprintf(dir, sizeof dir, "scale%u", names);
  double t0 = now_ns();
  make_names(dir, names);
  double t1 = now_ns();
  lookups(dir, names, 0, SCALE_LOOKUPS);
  double t2 = now_ns();
  unsigned listed = list_dir(dir);
  double t3 = now_ns();
  for (uint32_t i = 0; i < names; i++) must(unlink(name_in(path, dir, i)), path);
  double t4 = now_ns();
  must(rmdir(dir), dir);
  if (listed != names) printf("error %u of %u names listed\n", listed, names);
  else printf("ok %.3f %.3f %.3f %.3f\n", (t1 - t0) / names, (t2 - t1) / SCALE_LOOKUPS, (t3 - t2) / names, (t4 - t3) / names);
}

static void obey(const char *line) {
  char word[64];
  double slice_ns, warmup_ns;
  unsigned names;
  if (sscanf(line, "prepare %63s", word) == 1) {
    printf(prepare(word) ? "ok\n" : "error no such fixture\n");
  } else if (sscanf(line, "measure %63s %lf %lf", word, &slice_ns, &warmup_ns) == 3) {
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
      if (strcmp(operations[i].name, word)) continue;
      measure(operations[i].run, slice_ns, warmup_ns);
      return;
    }
    printf("ok\n");
  } else if (sscanf(line, "scale %u", &names) == 1) {
    scale(names);
  } else {
    printf("error not understood\n");
  }
}

int main(int argc, char **argv) {
  char line[256];
  struct rlimit limit;
  if (argc != 4) {
    fprintf(stderr, "usage: %s DIRECTORY NAMES SEED\n", argv[0]);
    return 2;
  }
  must(chdir(argv[1]), argv[1]);
  big_names = strtoul(argv[2], NULL, 10);
  state = strtoul(argv[3], NULL, 10);
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  while (fgets(line, sizeof line, stdin)) {
    obey(line);
    fflush(stdout);
  }
  return 0;
}
