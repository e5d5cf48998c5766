/* A stand-in for NVIDIA's management library: what pynvml calls for envstage, and no more.

   What it answers stands in `machine.txt` in the folder above its own, read anew at every
   nvmlInit: a test changes the machine without changing a path or a variable. One line each:

     init <error>                                   what nvmlInit returns
     hang                                           nvmlInit never returns
     driver <version>
     cuda <number>                                  12040 for 12.4
     gpu <bytes>|<major>.<minor>|<mig 0 or 1>|<identifier>|<name>     0 bytes: not supported
     slice <bytes>|<identifier>|<name>              of the gpu above
     denied                                         a GPU that this process may not open
     lost                                           a GPU that does not answer
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, ALREADY = 5,
       NOT_FOUND = 6, INSUFFICIENT = 7, LOST = 15, UNKNOWN = 999 };
enum { MOST = 32, WIDTH = 128 };

typedef struct device {
    unsigned long long bytes;
    int major, minor, mig, error, slices;
    char identifier[WIDTH], name[WIDTH];
    struct device *part[MOST];
} device;

typedef struct { unsigned long long total, free, used; } memory;

static struct {
    int initialized, count, init, cuda, hang;
    char driver[WIDTH];
    device *gpu[MOST];
} machine;

static device *new_device(void) { return calloc(1, sizeof(device)); }

static void read_line(char *line) {
    device *made = new_device();
    char *name = line + (strchr(line, ' ') ? strchr(line, ' ') - line + 1 : (long)strlen(line));
    if (sscanf(line, "init %d", &machine.init) == 1) return;
    if (sscanf(line, "cuda %d", &machine.cuda) == 1) return;
    if (strcmp(line, "hang") == 0) { machine.hang = 1; return; }
    if (strncmp(line, "driver ", 7) == 0) { strncpy(machine.driver, name, WIDTH - 1); return; }
    if (sscanf(line, "gpu %llu|%d.%d|%d|%127[^|]|%127[^\n]", &made->bytes, &made->major,
               &made->minor, &made->mig, made->identifier, made->name) == 6) {
        machine.gpu[machine.count++] = made;
    } else if (machine.count && sscanf(line, "slice %llu|%127[^|]|%127[^\n]", &made->bytes,
                                       made->identifier, made->name) == 3) {
        device *whole = machine.gpu[machine.count - 1];
        whole->part[whole->slices++] = made;
    } else if (strcmp(line, "denied") == 0 || strcmp(line, "lost") == 0) {
        made->error = line[0] == 'd' ? NO_PERMISSION : LOST;
        machine.gpu[machine.count++] = made;
    }
}

static int read_machine(void) {
    Dl_info self;
    char path[4096], line[1024];
    memset(&machine, 0, sizeof machine);
    if (!dladdr((void *)read_machine, &self)) return 0;
    snprintf(path, sizeof path, "%s", self.dli_fname);
    if (!strrchr(path, '/')) return 0;
    strcpy(strrchr(path, '/'), "/../machine.txt");
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        read_line(line);
    }
    fclose(file);
    return 1;
}

static int copied(const char *from, char *to, unsigned int size) {
    if (strlen(from) + 1 > size) return INSUFFICIENT;
    strcpy(to, from);
    return OK;
}

int nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    if (machine.initialized) return ALREADY; /* stricter than a real one: who asks, cleans up */
    if (!read_machine()) return UNKNOWN;
    while (machine.hang) pause();
    machine.initialized = machine.init == OK;
    return machine.init;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) {
    if (!machine.initialized) return UNINITIALIZED;
    machine.initialized = 0;
    return OK;
}
const char *nvmlErrorString(int error) { return error ? "stand-in error" : "Success"; }

int nvmlSystemGetDriverVersion(char *version, unsigned int size) {
    return machine.initialized ? copied(machine.driver, version, size) : UNINITIALIZED;
}
int nvmlSystemGetCudaDriverVersion(int *version) {
    *version = machine.cuda;
    return OK;
}
int nvmlDeviceGetCount_v2(unsigned int *count) {
    if (!machine.initialized) return UNINITIALIZED;
    *count = (unsigned int)machine.count;
    return OK;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, device **handle) {
    if (!machine.initialized) return UNINITIALIZED;
    if (index >= (unsigned int)machine.count) return INVALID;
    *handle = machine.gpu[index];
    return (*handle)->error;
}
int nvmlDeviceGetName(device *handle, char *name, unsigned int size) {
    return copied(handle->name, name, size);
}
int nvmlDeviceGetUUID(device *handle, char *identifier, unsigned int size) {
    return copied(handle->identifier, identifier, size);
}
int nvmlDeviceGetMemoryInfo(device *handle, memory *answer) {
    if (!handle->bytes) return NOT_SUPPORTED;
    answer->total = handle->bytes;
    answer->used = (unsigned long long)rand(); /* what a real one never says twice */
    answer->free = answer->total - answer->used;
    return OK;
}
int nvmlDeviceGetCudaComputeCapability(device *handle, int *major, int *minor) {
    *major = handle->major;
    *minor = handle->minor;
    return OK;
}
int nvmlDeviceGetMigMode(device *handle, unsigned int *current, unsigned int *pending) {
    if (handle->major < 8) return NOT_SUPPORTED;
    *current = *pending = (unsigned int)handle->mig;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(device *handle, unsigned int *count) {
    *count = handle->mig ? 7 : 0;
    return OK;
}
int nvmlDeviceGetMigDeviceHandleByIndex(device *handle, unsigned int index, device **part) {
    if (index >= (unsigned int)handle->slices) return NOT_FOUND;
    *part = handle->part[index];
    return OK;
}
