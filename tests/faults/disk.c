/* What a disk is told: a library that is preloaded into a writing process.
 *
 * Every write, truncation, sync, creation, removal and renaming below DISK_FOLDER is carried out and
 * recorded in DISK_LOG in one order, under one lock; so a test knows what a disk had received, and
 * what it had promised, at each moment. DISK_FAULT="call:name:n:what" makes the n-th call (write,
 * sync or any) on files whose name ends with `name` fail:
 *
 *   EIO     once; whatever comes after "succeeds", as on Linux
 *   ENOSPC  from then on
 *   short   once, half of the bytes are written
 *   full    half of the bytes once, then ENOSPC: how a disk runs full
 *   kill    SIGKILL right after a write, or in place of a sync
 *
 * A record: kind, errno, inode, offset, length of path and of data (tests/faults/disk.py reads it).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, UNLINK, RENAME, MAKE_FOLDER };
enum call { ANY_CALL, WRITE_CALL, SYNC_CALL };
enum what { NOTHING, FAIL_EIO, FAIL_ENOSPC, SHORT, FULL, KILL };

struct record {
    uint32_t kind;
    int32_t error;
    uint64_t inode, offset;
    uint32_t path_bytes, data_bytes;
};

#define MOST_FILES 4096
static char *names[MOST_FILES]; /* by descriptor: the path below the folder, or NULL */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_bytes;
static int log_file = -1;

static struct {
    enum call call;
    char name[256];
    long nth, seen;
    enum what what;
} fault;

/* The function that would have been called without us. */
#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

static void must_write(const void *bytes, size_t count) {
    if (REAL(write)(log_file, bytes, count) != (ssize_t)count) abort(); /* a log with a hole proves nothing */
}

static void read_fault(const char *text) {
    char call[16], what[16];
    const char *whats[] = {"", "EIO", "ENOSPC", "short", "full", "kill"};
    const char *colon = strchr(text, ':'); /* the name may be empty, which %[ cannot read */
    if (colon == NULL || sscanf(text, "%15[^:]", call) != 1) abort();
    const char *end = strchr(colon + 1, ':');
    if (end == NULL || sscanf(end, ":%ld:%15s", &fault.nth, what) != 2) abort();
    snprintf(fault.name, sizeof fault.name, "%.*s", (int)(end - colon - 1), colon + 1);
    fault.call = !strcmp(call, "write") ? WRITE_CALL : !strcmp(call, "sync") ? SYNC_CALL : ANY_CALL;
    for (int i = 1; i < 6; i++)
        if (!strcmp(what, whats[i])) fault.what = (enum what)i;
    if (fault.what == NOTHING) abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *given = getenv("DISK_FOLDER"), *log = getenv("DISK_LOG"), *text = getenv("DISK_FAULT");
    if (given == NULL || log == NULL) return;
    folder_bytes = (size_t)snprintf(folder, sizeof folder, "%s/", given);
    log_file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) abort();
    if (text != NULL && *text) read_fault(text);
}

/* The path below the folder; the folder itself is "". */
static const char *below(const char *path) {
    if (log_file < 0 || path == NULL) return NULL;
    if (!strncmp(path, folder, folder_bytes)) return path + folder_bytes;
    return !strncmp(path, folder, folder_bytes - 1) && !path[folder_bytes - 1] ? "" : NULL;
}

static const char *name_of(int file) {
    return log_file >= 0 && file >= 0 && file < MOST_FILES ? names[file] : NULL;
}

static enum what what_now(enum call call, const char *name) {
    size_t all = strlen(name), end = strlen(fault.name);
    if (fault.what == NOTHING || (fault.call != ANY_CALL && fault.call != call)) return NOTHING;
    if (end > all || strcmp(name + all - end, fault.name)) return NOTHING;
    long number = ++fault.seen;
    if (number < fault.nth) return NOTHING;
    if (number == fault.nth) return fault.what;
    return fault.what == FAIL_ENOSPC || fault.what == FULL ? FAIL_ENOSPC : NOTHING;
}

static void note(enum kind kind, int error, int file, uint64_t offset, const char *path, const void *data,
                 size_t bytes) {
    struct stat found = {0};
    if (file >= 0 && fstat(file, &found)) abort();
    struct record record = {kind, error, found.st_ino, offset, (uint32_t)strlen(path), (uint32_t)bytes};
    must_write(&record, sizeof record);
    must_write(path, strlen(path));
    if (bytes) must_write(data, bytes);
}

static void end_if(enum what what) {
    if (what == KILL) kill(getpid(), SIGKILL);
}

static int opened(int file, const char *path, int existed) {
    const char *name = below(path);
    if (file < 0 || name == NULL) return file;
    if (file >= MOST_FILES) abort();
    free(names[file]);
    names[file] = strdup(name);
    if (!existed) note(CREATE, 0, file, 0, name, NULL, 0);
    return file;
}

/* Nobody here opens with these two flags; who begins to has to teach the model. */
#define OPEN(function)                                                        \
    int function(const char *path, int flags, ...) {                          \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;             \
        va_end(rest);                                                         \
        if (below(path) == NULL) return REAL(function)(path, flags, mode);    \
        if (flags & (O_TRUNC | O_APPEND)) abort();                            \
        pthread_mutex_lock(&lock);                                            \
        struct stat before;                                                   \
        int existed = lstat(path, &before) == 0;                              \
        int file = opened(REAL(function)(path, flags, mode), path, existed);  \
        int kept = errno;                                                     \
        pthread_mutex_unlock(&lock);                                          \
        errno = kept;                                                         \
        return file;                                                          \
    }
OPEN(open)
OPEN(open64)
int close(int file) {
    pthread_mutex_lock(&lock);
    if (name_of(file) != NULL) {
        free(names[file]);
        names[file] = NULL;
    }
    int result = REAL(close)(file);
    pthread_mutex_unlock(&lock);
    return result;
}

static ssize_t written(int file, const void *bytes, size_t count, off_t offset) {
    const char *name = name_of(file);
    pthread_mutex_lock(&lock);
    enum what what = what_now(WRITE_CALL, name);
    ssize_t result = -1;
    if (what == FAIL_EIO) errno = EIO;
    else if (what == FAIL_ENOSPC) errno = ENOSPC;
    else {
        if (what == SHORT || what == FULL) count = (count + 1) / 2;
        result = REAL(pwrite)(file, bytes, count, offset);
    }
    int kept = errno;
    if (result < 0) note(WRITE, kept, file, (uint64_t)offset, name, NULL, 0);
    else if (result > 0) note(WRITE, 0, file, (uint64_t)offset, name, bytes, (size_t)result);
    end_if(what);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return result;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return name_of(file) ? written(file, bytes, count, offset) : REAL(pwrite)(file, bytes, count, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    return pwrite(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count) {
    if (name_of(file) == NULL) return REAL(write)(file, bytes, count);
    off_t at = lseek(file, 0, SEEK_CUR);
    ssize_t result = written(file, bytes, count, at);
    if (result > 0) lseek(file, at + result, SEEK_SET);
    return result;
}

static int synced(int file, int (*sync_)(int)) {
    const char *name = name_of(file);
    if (name == NULL) return sync_(file);
    pthread_mutex_lock(&lock);
    struct stat found;
    enum what what = what_now(SYNC_CALL, name);
    end_if(what);
    int result = what == NOTHING ? sync_(file) : -1;
    int error = result == 0 ? 0 : what == FAIL_ENOSPC ? ENOSPC : EIO;
    note(!fstat(file, &found) && S_ISDIR(found.st_mode) ? SYNC_FOLDER : SYNC, error, file, 0, name, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int fsync(int file) { return synced(file, REAL(fsync)); }
int fdatasync(int file) { return synced(file, REAL(fdatasync)); }

int ftruncate(int file, off_t size) {
    pthread_mutex_lock(&lock);
    int result = REAL(ftruncate)(file, size), kept = errno;
    const char *name = name_of(file);
    if (result == 0 && name != NULL) note(TRUNCATE, 0, file, (uint64_t)size, name, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return result;
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

/* Records what was done to a name, and gives up the lock. */
static int named(int result, enum kind kind, const char *path, const char *to) {
    int kept = errno;
    const char *name = below(path), *new = to != NULL ? below(to) : "";
    if (result == 0 && name != NULL && new != NULL) note(kind, 0, -1, 0, name, new, strlen(new));
    pthread_mutex_unlock(&lock);
    errno = kept;
    return result;
}
int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    return named(REAL(unlink)(path), UNLINK, path, NULL);
}
int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    return named(REAL(rename)(from, to), RENAME, from, to);
}
int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    return named(REAL(mkdir)(path, mode), MAKE_FOLDER, path, NULL);
}
