/* A disk that forgets what was not synced.
 *
 * Preloaded into a process, it lets writes through to the files of one folder as ever, and copies a
 * file into a second folder when the process syncs it. The second folder is what a power cut leaves:
 * of each file, the state at its last fsync or fdatasync, and nothing of a file that was never synced.
 * A file that was deleted is back, unless its folder was synced afterwards.
 *
 *     POWER_CUT_FOLDER=/var/outbox POWER_CUT_KEPT=/kept LD_PRELOAD=./power_cut.so python device.py
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder itself was synced: what is no longer in it stays deleted. */
static int forget_deleted(const char *folder, const char *kept) {
    char path[PATH_MAX];
    DIR *entries = opendir(kept);
    if (!entries) return -1;
    for (struct dirent *entry; (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (access(path, F_OK) == 0) continue;
        snprintf(path, sizeof path, "%s/%s", kept, entry->d_name);
        unlink(path);
    }
    closedir(entries);
    return 0;
}

static int keep(int file) {
    const char *folder = getenv("POWER_CUT_FOLDER"), *kept = getenv("POWER_CUT_KEPT");
    char link[64], path[PATH_MAX], part[PATH_MAX + 64], whole[PATH_MAX + 64], block[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || !kept || length < 0) return 0;
    path[length] = 0;
    if (!strcmp(path, folder)) return forget_deleted(folder, kept);
    const char *name = strrchr(path, '/');
    if (strncmp(path, folder, strlen(folder)) || !name || strlen(folder) + strlen(name) != (size_t)length)
        return 0; /* of another folder */

    snprintf(part, sizeof part, "%s%s.part", kept, name);
    snprintf(whole, sizeof whole, "%s%s", kept, name);
    int copy = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (copy < 0) return -1;
    ssize_t got;
    for (off_t at = 0; (got = pread(file, block, sizeof block, at)) > 0; at += got)
        if (write(copy, block, got) != got) got = -1;
    close(copy);
    return got < 0 ? -1 : rename(part, whole); /* whole or not at all: a kill may come here too */
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(file) || keep(file) ? -1 : 0;
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return real(file) || keep(file) ? -1 : 0;
}
