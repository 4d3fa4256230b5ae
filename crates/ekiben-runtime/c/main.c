/* Starts the interpreter of an executable.
 *
 * Compiled once for each runtime, with its headers; libekiben_runtime.a, which is one for all, knows
 * the module image. The image is in a segment of its own at a fixed address, into which `ekiben freeze`
 * puts it; nothing is opened to find it.
 *
 * A program runs its main module. The same executable is an interpreter if its first argument is
 * --ekiben-python, if such an interpreter starts it anew, if it carries no main module, when
 * multiprocessing starts it, and when the program starts itself as one.
 */

#define PY_SSIZE_T_CLEAN
/* For the collector's count of allocations. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <internal/pycore_interp.h>

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <langinfo.h>
#include <link.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wchar.h>

#if PY_VERSION_HEX < 0x030B0000
#error "CPython 3.11 or later is needed"
#endif

/* libekiben_runtime.a */
struct early {
    const char *name;
    const unsigned char *code;
    int size;
    int is_package;
};
int ekiben_open(const unsigned char *start, size_t length, char *message, size_t room);
const char *ekiben_setting(const char *key);
size_t ekiben_early(struct early *to, size_t room, int with_packed);
int ekiben_load(const char *path, int flags, const char **name);
int ekiben_role(const char *program, int argc, char **argv);
void ekiben_tell_children(const char *program);
PyObject *PyInit__ekiben(void);

/* Until there is an image. Its address is given to the linker. */
__attribute__((section(".ekiben_image"), used, aligned(4096)))
const unsigned char ekiben_image[16] = "no module image";

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Nobody outside calls it. What no library calls either, since a module was left out, the linker drops
 * with what it would call. */
#define INNER __attribute__((visibility("hidden")))

/* Linked with --wrap: before a function of whatever library is called, something of ours is. */
#define WRAP(before, type, name, parameters, arguments) \
    type __real_##name parameters;                      \
    INNER type __wrap_##name parameters;                \
    type __wrap_##name parameters                       \
    {                                                   \
        before();                                       \
        return __real_##name arguments;                 \
    }

#ifdef EKIBEN_STATIC
/* A static program must not load the name service's modules, which are shared objects for the C
 * library that they were built with: files and DNS are built in. Reading the configuration takes
 * system calls, so this waits for the first question to the service. */
int __nss_configure_lookup(const char *database, const char *service);

static void
configure_names(void)
{
    static int done;
    static const char *const databases[] = {
        "aliases", "ethers", "group", "gshadow", "initgroups", "netgroup", "networks",
        "passwd", "protocols", "publickey", "rpc", "services", "shadow", NULL,
    };
    if (done) {
        return;
    }
    done = 1;
    for (size_t at = 0; databases[at] != NULL; at++) {
        __nss_configure_lookup(databases[at], "files");
    }
    __nss_configure_lookup("hosts", "files dns");
}

/* As WRAP, for what returns nothing. */
#define WRAP_VOID(before, name)     \
    void __real_##name(void);       \
    INNER void __wrap_##name(void); \
    void __wrap_##name(void)        \
    {                               \
        before();                   \
        __real_##name();            \
    }

/* All that asks the name service, in whatever library. */
WRAP_VOID(configure_names, setpwent)
WRAP_VOID(configure_names, endpwent)
WRAP_VOID(configure_names, setgrent)
WRAP_VOID(configure_names, endgrent)
WRAP(configure_names, struct passwd *, getpwnam, (const char *name), (name))
WRAP(configure_names, struct passwd *, getpwuid, (uid_t id), (id))
WRAP(configure_names, struct passwd *, getpwent, (void), ())
WRAP(configure_names, int, getpwnam_r,
     (const char *name, struct passwd *to, char *buffer, size_t room, struct passwd **result),
     (name, to, buffer, room, result))
WRAP(configure_names, int, getpwuid_r,
     (uid_t id, struct passwd *to, char *buffer, size_t room, struct passwd **result),
     (id, to, buffer, room, result))
WRAP(configure_names, struct group *, getgrent, (void), ())
WRAP(configure_names, int, getgrnam_r,
     (const char *name, struct group *to, char *buffer, size_t room, struct group **result),
     (name, to, buffer, room, result))
WRAP(configure_names, int, getgrgid_r,
     (gid_t id, struct group *to, char *buffer, size_t room, struct group **result),
     (id, to, buffer, room, result))
WRAP(configure_names, int, getgrouplist, (const char *user, gid_t group, gid_t *groups, int *count),
     (user, group, groups, count))
WRAP(configure_names, int, initgroups, (const char *user, gid_t group), (user, group))
WRAP(configure_names, int, getaddrinfo,
     (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result),
     (node, service, hints, result))
WRAP(configure_names, int, getnameinfo,
     (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_room,
      char *service, socklen_t service_room, int flags),
     (address, length, host, host_room, service, service_room, flags))
WRAP(configure_names, struct hostent *, gethostbyname, (const char *name), (name))
WRAP(configure_names, int, gethostbyname_r,
     (const char *name, struct hostent *to, char *buffer, size_t room, struct hostent **result,
      int *error),
     (name, to, buffer, room, result, error))
WRAP(configure_names, int, gethostbyaddr_r,
     (const void *address, socklen_t length, int family, struct hostent *to, char *buffer,
      size_t room, struct hostent **result, int *error),
     (address, length, family, to, buffer, room, result, error))
WRAP(configure_names, struct servent *, getservbyname, (const char *name, const char *protocol), (name, protocol))
WRAP(configure_names, struct servent *, getservbyport, (int port, const char *protocol), (port, protocol))
WRAP(configure_names, struct protoent *, getprotobyname, (const char *name), (name))

/* What a static program finds by name, sorted; made for each runtime. */
struct symbol {
    const char *name;
    void *address;
};
extern const struct symbol ekiben_symbols[];
extern const unsigned long ekiben_symbol_count;

/* A static program can't load shared objects: the C library would look for others of its own age. But
 * it has what those of the C library have, and CPython's interface, so that `ctypes.pythonapi` and
 * `ctypes.CDLL(None)` work. */
static _Thread_local char loading_error[256];
static _Thread_local int has_loading_error;

static int
is_of_c_library(const char *name)
{
    static const char *const names[] = {
        "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1",
    };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        if (strcmp(name, names[at]) == 0) {
            return 1;
        }
    }
    return 0;
}

INNER void *__wrap_dlopen(const char *name, int flags);
INNER void *__wrap_dlsym(void *library, const char *name);
INNER char *__wrap_dlerror(void);
INNER int __wrap_dlclose(void *library);

void *
__wrap_dlopen(const char *name, int flags)
{
    (void)flags;
    if (name == NULL || is_of_c_library(name)) {
        return (void *)ekiben_symbols;
    }
    snprintf(loading_error, sizeof loading_error, "%s: a static program can't load shared objects",
             name);
    has_loading_error = 1;
    return NULL;
}

static int
compare_symbols(const void *name, const void *symbol)
{
    return strcmp(name, ((const struct symbol *)symbol)->name);
}

void *
__wrap_dlsym(void *library, const char *name)
{
    /* RTLD_DEFAULT and RTLD_NEXT too mean the program, which is all there is. */
    (void)library;
    const struct symbol *found =
        bsearch(name, ekiben_symbols, ekiben_symbol_count, sizeof *ekiben_symbols, compare_symbols);
    /* Of the C library some may not be part of this program. */
    if (found == NULL || found->address == NULL) {
        snprintf(loading_error, sizeof loading_error, "%s: undefined symbol: %s",
                 program_invocation_name, name);
        has_loading_error = 1;
        return NULL;
    }
    return found->address;
}

char *
__wrap_dlerror(void)
{
    char *error = has_loading_error ? loading_error : NULL;
    has_loading_error = 0;
    return error;
}

int
__wrap_dlclose(void *library)
{
    (void)library;
    return 0;
}
#endif

/* strace's class of calls that take a file's name has newfstatat, by which glibc before 2.41 does
 * fstat; the kernel's own fstat is also faster. Linked with --wrap. */
INNER int __wrap_fstat(int descriptor, struct stat *to);
INNER int __wrap_fstat64(int descriptor, struct stat *to);

int
__wrap_fstat(int descriptor, struct stat *to)
{
    return (int)syscall(SYS_fstat, descriptor, to);
}

int
__wrap_fstat64(int descriptor, struct stat *to)
{
    return __wrap_fstat(descriptor, to);
}

/* Setting the locale opens up to nine files. A program that finds UTF-8 in its environment runs in
 * Python's UTF-8 mode (PEP 540) instead, and the C library gets its locale when somebody asks for what
 * depends on it. */
static int locale_is_due;

static void
set_locale(void)
{
    if (locale_is_due) {
        locale_is_due = 0;
        setlocale(LC_CTYPE, "");
    }
}

WRAP(set_locale, char *, setlocale, (int category, const char *locale), (category, locale))
WRAP(set_locale, char *, nl_langinfo, (nl_item item), (item))
WRAP(set_locale, struct lconv *, localeconv, (void), ())
WRAP(set_locale, int, wcscoll, (const wchar_t *one, const wchar_t *other), (one, other))
WRAP(set_locale, size_t, wcsxfrm, (wchar_t *to, const wchar_t *from, size_t room), (to, from, room))
WRAP(set_locale, PyObject *, PyInit__curses, (void), ())
WRAP(set_locale, PyObject *, PyInit_readline, (void), ())

/* The program's path, below which its files seem to be. */
static const char *root;

static int
is_below_root(const char *path)
{
    size_t length = root == NULL ? 0 : strlen(root);
    return path != NULL && length > 0 && strncmp(path, root, length) == 0 && path[length] == '/';
}

/* What seems to be there isn't, rather than below what is no folder: code that can do without a file
 * knows what that means. For calls that failed. */
static void
correct_error(const char *path)
{
    if (errno == ENOTDIR && is_below_root(path)) {
        errno = ENOENT;
    }
}

/* Linked with --wrap: calls that take a path. */
#define WRAP_PATH(type, failed, name, parameters, arguments) \
    type __real_##name parameters;                           \
    INNER type __wrap_##name parameters;                     \
    type __wrap_##name parameters                            \
    {                                                        \
        type result = __real_##name arguments;               \
        if (result == failed) {                              \
            correct_error(path);                             \
        }                                                    \
        return result;                                       \
    }

WRAP_PATH(int, -1, stat, (const char *path, struct stat *to), (path, to))
WRAP_PATH(int, -1, stat64, (const char *path, struct stat *to), (path, to))
WRAP_PATH(int, -1, lstat, (const char *path, struct stat *to), (path, to))
WRAP_PATH(int, -1, lstat64, (const char *path, struct stat *to), (path, to))
WRAP_PATH(DIR *, NULL, opendir, (const char *path), (path))

#define WRAP_OPEN(name)                                                         \
    int __real_##name(const char *path, int flags, ...);                        \
    INNER int __wrap_##name(const char *path, int flags, ...);                  \
    int __wrap_##name(const char *path, int flags, ...)                         \
    {                                                                           \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                           \
        int descriptor = __real_##name(path, flags, mode);                      \
        if (descriptor < 0) {                                                   \
            correct_error(path);                                                \
        }                                                                       \
        return descriptor;                                                      \
    }

WRAP_OPEN(open)
WRAP_OPEN(open64)

#ifndef EKIBEN_STATIC
/* In place of the C library's, for the interpreter, its modules and every shared object: what is in
 * the image is loaded from memory. The last call is a jump, so that the C library knows who calls. */
void *
dlopen(const char *name, int flags)
{
    static void *(*next)(const char *, int);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    }
    if (is_below_root(name) && ekiben_load(name + strlen(root) + 1, flags, &name) < 0) {
        return NULL;
    }
    return next(name, flags);
}
#endif

static int
is_set(const char *key)
{
    const char *value = ekiben_setting(key);
    return value != NULL && strcmp(value, "1") == 0;
}

/* Whether the collector keeps away from the start; known from the collector's own start on. */
static int is_quiet;

/* It would find nothing before the program's own code runs. It is off from its own start on, in the first
 * interpreter. */
PyStatus __real__PyGC_Init(PyInterpreterState *interpreter);
INNER PyStatus __wrap__PyGC_Init(PyInterpreterState *interpreter);

PyStatus
__wrap__PyGC_Init(PyInterpreterState *interpreter)
{
    static int is_started;
    PyStatus status = __real__PyGC_Init(interpreter);
    is_quiet = is_set("quiet-start");
    if (!is_started && is_quiet) {
        PyGC_Disable();
    }
    is_started = 1;
    return status;
}

/* How many more objects may come after a module of the program was read until a collection begins. It
 * would find little else than the module's own functions and classes, which stay. */
#define QUIET_ALLOCATIONS 10000

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t length);
INNER PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t length);

PyObject *
__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t length)
{
    if (is_quiet) {
        /* 3.14 had an incremental collector, until 3.14.5 took it back. */
#if 0x030E0000 <= PY_VERSION_HEX && PY_VERSION_HEX < 0x030E0500
        struct gc_generation *young = &PyInterpreterState_Get()->gc.young;
#else
        struct gc_generation *young = &PyInterpreterState_Get()->gc.generations[0];
#endif
        if (young->count > -QUIET_ALLOCATIONS) {
            young->count = -QUIET_ALLOCATIONS;
        }
    }
    return __real_PyMarshal_ReadObjectFromString(data, length);
}

#if PY_VERSION_HEX >= 0x030E0000
/* CPython asks where the stack ends, which the C library reads from /proc/self/maps for the first thread. The
 * kernel puts the program's path at its upper end (create_elf_tables in fs/binfmt_elf.c), and limits it. */
int __real_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);
INNER int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);

int
__wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    struct rlimit limit;
    if (path != NULL && pthread_equal(thread, pthread_self()) && getrlimit(RLIMIT_STACK, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t top = ((uintptr_t)path + strlen(path) + 1 + sizeof(void *) + page - 1) / page * page;
        uintptr_t size = limit.rlim_cur / page * page;
        uintptr_t here = (uintptr_t)&limit;
        /* Other threads have stacks of their own, also in the child that one of them forks. */
        if (size < top && top - size < here && here < top) {
            int error = pthread_attr_init(attributes);
            return error != 0 ? error : pthread_attr_setstack(attributes, (void *)(top - size), size);
        }
    }
    return __real_pthread_getattr_np(thread, attributes);
}
#endif

/* Small objects lie in arenas of 1 MiB, which the interpreter asks for one by one; 280 pages of the first
 * two are touched by each start, which the kernel gives faster at once than one by one. Further ones are
 * taken from huge pages, on kernels that give these to whoever asks. Not the first: a virtual machine's
 * host may have no memory behind a huge page, and then it costs more than the whole start, above all
 * where hundreds of programs start at once. */
#define HUGE_PAGE ((size_t)1 << 21)

static void *spare_arena;

/* Since Linux 5.14; before, pages come as they are touched. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void
populate(char *start, size_t size)
{
    int error = errno;
    madvise(start, size, MADV_POPULATE_WRITE);
    errno = error;
}

static void *
allocate_huge_page(void)
{
    int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *start = mmap(NULL, HUGE_PAGE, protection, flags, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    size_t over = (uintptr_t)start % HUGE_PAGE;
    if (over != 0) {
        /* Once more, with room for one that is aligned. */
        munmap(start, HUGE_PAGE);
        start = mmap(NULL, 2 * HUGE_PAGE, protection, flags, -1, 0);
        if (start == MAP_FAILED) {
            return NULL;
        }
        size_t before = HUGE_PAGE - (uintptr_t)start % HUGE_PAGE;
        munmap(start, before);
        if (before < HUGE_PAGE) {
            munmap(start + before + HUGE_PAGE, HUGE_PAGE - before);
        }
        start += before;
    }
    madvise(start, HUGE_PAGE, MADV_HUGEPAGE);
    return start;
}

static void *
allocate_arena(void *next, size_t size)
{
    static int count;
    /* Interpreters with locks of their own may ask at once. */
    int at = size == HUGE_PAGE / 2 ? __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) : 0;
    if (at > 2) {
        void *spare = __atomic_exchange_n(&spare_arena, NULL, __ATOMIC_ACQ_REL);
        if (spare != NULL) {
            return spare;
        }
        char *start = allocate_huge_page();
        if (start != NULL) {
            spare = __atomic_exchange_n(&spare_arena, start + size, __ATOMIC_ACQ_REL);
            if (spare != NULL) {
                munmap(spare, size);
            }
            return start;
        }
    }
    void *arena = ((PyObjectArenaAllocator *)next)->alloc(((PyObjectArenaAllocator *)next)->ctx, size);
    if (arena != NULL && (at == 1 || at == 2)) {
        populate(arena, at == 1 ? size : 192 << 10);
    }
    return arena;
}

static void
free_arena(void *next, void *arena, size_t size)
{
    /* By munmap, whoever allocated it. */
    ((PyObjectArenaAllocator *)next)->free(((PyObjectArenaAllocator *)next)->ctx, arena, size);
}

static void
use_huge_arenas(void)
{
    static PyObjectArenaAllocator next;
    PyObject_GetArenaAllocator(&next);
    PyObjectArenaAllocator ours = {&next, allocate_arena, free_arena};
    PyObject_SetArenaAllocator(&ours);
}

#ifdef EKIBEN_STATIC
/* What is larger lies in the C library's heap, which grows by 132 KiB at a time, page by page as it is
 * touched. Small programs need 600 KiB: for these a huge page would be more to clear than it spares in
 * faults. Beyond that it grows by whole huge pages. Nobody but malloc calls __sbrk, under its lock; before
 * main() it is called when there is no errno yet. */
#define SMALL_HEAP ((intptr_t)768 << 10)

void *__real___sbrk(intptr_t step);
INNER void *__wrap___sbrk(intptr_t step);

static int has_huge_heap, is_small_heap;
/* Up to where malloc has got it, and up to where the kernel has given it. */
static char *heap_end, *heap_top;

static char *
huge_page_after(char *address)
{
    return address + (-(uintptr_t)address & (HUGE_PAGE - 1));
}

void *
__wrap___sbrk(intptr_t step)
{
    if (!has_huge_heap) {
        return __real___sbrk(step);
    }
    char *before = heap_end;
    if (step > 0 && step > heap_top - heap_end) {
        if (__real___sbrk(0) != heap_top) {
            /* Somebody else has asked for memory behind it: malloc can go on there. */
            has_huge_heap = 0;
            return __real___sbrk(step);
        }
        /* The first begins at a boundary: malloc goes on there, and can use what is left before. */
        char *start = is_small_heap ? huge_page_after(heap_end) : heap_end;
        char *top = huge_page_after(start + step);
        if (__real___sbrk(top - heap_top) == (void *)-1) {
            start = heap_end;
            top = heap_end + step;
            if (__real___sbrk(top - heap_top) == (void *)-1) {
                return (void *)-1;
            }
        } else {
            int error = errno;
            char *huge = is_small_heap ? start : heap_top;
            madvise(huge, (size_t)(top - huge), MADV_HUGEPAGE);
            errno = error;
            is_small_heap = 0;
        }
        before = heap_end = start;
        heap_top = top;
    }
    heap_end += step;
    char *top = huge_page_after(heap_end);
    if (step < 0 && top < heap_top && __real___sbrk(0) == heap_top &&
        __real___sbrk(top - heap_top) != (void *)-1)
    {
        heap_top = top;
    }
    return before;
}

static void
use_huge_heap(void)
{
    char *end = __real___sbrk(0);
    if (end == (void *)-1 || __real___sbrk(SMALL_HEAP) == (void *)-1) {
        return;
    }
    heap_end = end;
    heap_top = end + SMALL_HEAP;
    has_huge_heap = is_small_heap = 1;
    /* What each start needs. What malloc has by now may end within a page. */
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    populate(end + (-(uintptr_t)end & (page - 1)), 384 << 10);
}

/* What is freed tells malloc from which size on memory of its own is worth asking for: with the first
 * blocks of 128 KiB it wouldn't know yet. Not before the interpreter has its map of arenas, of which it
 * touches two pages, and which from the heap it would get cleared. */
static void
prefer_heap(void)
{
    void *volatile block = malloc(HUGE_PAGE / 2);
    free(block);
}
#endif

static _Noreturn void
fail(const char *program, const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    exit(1);
}

#ifdef EKIBEN_FROZEN
/* In place of the interpreter's own table of frozen modules: all of them are in the image. */
static const struct _frozen no_modules[1];
const struct _frozen *_PyImport_FrozenStdlib = no_modules;
const struct _frozen *_PyImport_FrozenTest = no_modules;
#endif

static _Noreturn void
fail_by(PyStatus status, PyConfig *config)
{
    PyConfig_Clear(config);
    /* Prints, and ends the process. */
    Py_ExitStatusException(status);
}

/* Opens the image, and says why it can't if so. */
static void
open_image(const char *program)
{
    const ElfW(Phdr) *segments =
        (const ElfW(Phdr) *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    ElfW(Addr) address = (ElfW(Addr))ekiben_image;
    char message[512];
    for (int at = 0; at < __ehdr_start.e_phnum; at++) {
        const ElfW(Phdr) *it = &segments[at];
        if (it->p_type == PT_LOAD && it->p_vaddr <= address && address < it->p_vaddr + it->p_filesz) {
            size_t length = it->p_filesz - (address - it->p_vaddr);
            if (ekiben_open(ekiben_image, length, message, sizeof message) != 0) {
                fail(program, message);
            }
            return;
        }
    }
    fail(program, "its headers don't tell where its module image is");
}

/* The path of this program. The kernel says how it was called; only a relative path needs more. */
static char *
program_path(const char *called)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    if (path != NULL && path[0] == '/' && strncmp(path, "/proc/", 6) != 0 &&
        strncmp(path, "/dev/fd/", 8) != 0)
    {
        return strdup(path);
    }
    size_t room = 256;
    for (;;) {
        char *buffer = malloc(room);
        ssize_t length = buffer == NULL ? -1 : readlink("/proc/self/exe", buffer, room);
        if (length < 0) {
            free(buffer);
            return strdup(path != NULL ? path : called);
        }
        if ((size_t)length < room) {
            buffer[length] = 0;
            return buffer;
        }
        free(buffer);
        room *= 2;
    }
}

/* The modules that are needed before the importer is there; those that are packed, which are codecs,
 * only where the environment may ask for one of them. In the place of `site`, which the interpreter
 * imports then, it finds ours. */
static void
freeze_early(const char *program, int with_packed)
{
    size_t count = ekiben_early(NULL, 0, with_packed);
    struct early *modules = calloc(count + 1, sizeof *modules);
    struct _frozen *frozen = calloc(count + 1, sizeof *frozen);
    if (modules == NULL || frozen == NULL) {
        fail(program, "out of memory");
    }
    ekiben_early(modules, count, with_packed);
    for (size_t at = 0; at < count; at++) {
        frozen[at].name = strcmp(modules[at].name, "_ekiben_site") == 0 ? "site" : modules[at].name;
        frozen[at].code = modules[at].code;
        frozen[at].size = modules[at].size;
        frozen[at].is_package = modules[at].is_package;
    }
    free(modules);
    PyImport_FrozenModules = frozen;
}

static void
set_string(PyConfig *config, wchar_t **field, const char *value)
{
    PyStatus status = PyConfig_SetBytesString(config, field, value);
    if (PyStatus_Exception(status)) {
        fail_by(status, config);
    }
}

static void
append_decoded(PyConfig *config, const wchar_t *path)
{
    PyStatus status = path == NULL ? PyStatus_NoMemory()
                                   : PyWideStringList_Append(&config->module_search_paths, path);
    if (PyStatus_Exception(status)) {
        fail_by(status, config);
    }
}

static void
append_path(PyConfig *config, const char *path)
{
    wchar_t *decoded = Py_DecodeLocale(path, NULL);
    append_decoded(config, decoded);
    PyMem_RawFree(decoded);
}

/* The program's folder of modules that aren't the standard library's. */
static const char *site_packages;

/* The folders of the setting `path`, one a line, from the program's own folder on: where the file is, if
 * it was called by a link. */
static void
append_beside(PyConfig *config, const char *called)
{
    const char *folders = ekiben_setting("path");
    if (folders == NULL) {
        return;
    }
    char *real = realpath(called, NULL);
    const char *program = real == NULL ? called : real;
    const char *slash = strrchr(program, '/');
    int here = slash == NULL ? 0 : (int)(slash + 1 - program);
    while (folders[0] != 0) {
        int length = (int)strcspn(folders, "\n");
        char *folder = malloc((size_t)(here + length) + 1);
        if (folder == NULL) {
            fail(program, "out of memory");
        }
        sprintf(folder, "%.*s%.*s", folders[0] == '/' ? 0 : here, program, length, folders);
        append_path(config, folder);
        free(folder);
        folders += length + (folders[length] != 0);
    }
    free(real);
}

/* The folders of PYTHONPATH. */
static void
append_environment(PyConfig *config)
{
    if (config->pythonpath_env == NULL || config->pythonpath_env[0] == 0) {
        return;
    }
    wchar_t *paths = wcsdup(config->pythonpath_env);
    for (wchar_t *path = paths; path != NULL;) {
        wchar_t *end = wcschr(path, L':');
        if (end != NULL) {
            *end++ = 0;
        }
        append_decoded(config, path);
        path = end;
    }
    free(paths);
}

/* All paths are given, but the interpreter would look for them all the same (Modules/getpath.c, by
 * running getpath.py). With `compute` at 0 it only takes what was set for the process. Those of modules
 * are set here: options and environment, by which PYTHONPATH may count, have been read. Reading them
 * earlier, by PyConfig_Read, would have `-X warn_default_encoding` forgotten. */
PyStatus __real__PyConfig_InitPathConfig(PyConfig *config, int compute);
INNER PyStatus __wrap__PyConfig_InitPathConfig(PyConfig *config, int compute);

/* Each start imports zipimport, and with it `time`, which reads the time zone. A program has an empty
 * module there while it starts, which the importer takes away. */
static int zipimport_waits;

PyStatus
__wrap__PyConfig_InitPathConfig(PyConfig *config, int compute)
{
    /* Before there is an interpreter it is called without. */
    if (compute && zipimport_waits && PyImport_AddModule("zipimport") == NULL) {
        PyErr_Clear();
    }
    /* getpath.py has them read as truth values. */
    int *const truths[] = {&config->inspect, &config->interactive, &config->parser_debug, &config->quiet};
    for (size_t at = 0; at < sizeof truths / sizeof *truths; at++) {
        *truths[at] = *truths[at] != 0;
    }
    if (!config->module_search_paths_set && config->stdlib_dir != NULL) {
        config->module_search_paths_set = 1;
        append_environment(config);
        append_decoded(config, config->stdlib_dir);
        append_path(config, site_packages);
        append_beside(config, root);
    }
    return __real__PyConfig_InitPathConfig(config, 0);
}

/* The locale that the environment asks for characters in; empty if it doesn't. */
static const char *
wanted_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t at = 0; at < 3; at++) {
        const char *value = getenv(variables[at]);
        if (value != NULL && value[0] != 0) {
            return value;
        }
    }
    return "";
}

static int
is_c_locale(const char *locale)
{
    return locale[0] == 0 || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

static int
is_utf8_locale(const char *locale)
{
    const char *codeset = strchr(locale, '.');
    return codeset != NULL &&
           (strcasecmp(codeset + 1, "UTF-8") == 0 || strcasecmp(codeset + 1, "utf8") == 0);
}

/* Starts the interpreter. `is_interpreter`: it takes its own options from the arguments. */
static void
start(const char *path, int argc, char **argv, int is_interpreter)
{
    int honours_environment = !is_set("isolated");
    PyPreConfig pre;
    PyPreConfig_InitPythonConfig(&pre);
    pre.use_environment = honours_environment;
    pre.parse_argv = is_interpreter;
    const char *locale = wanted_locale();
    int is_c = is_c_locale(locale);
    int waits = 0;
    if (!is_interpreter && !honours_environment && (is_c || is_utf8_locale(locale))) {
        pre.configure_locale = 0;
        pre.coerce_c_locale = 0;
        pre.utf8_mode = 1;
        waits = 1;
        const char *all = getenv("LC_ALL");
        if (is_c && (all == NULL || all[0] == 0)) {
            /* As PEP 538 has it, for the programs that this one starts. */
            setenv("LC_CTYPE", "C.UTF-8", 1);
        }
    }
    zipimport_waits = !is_interpreter;
    PyStatus status = is_interpreter ? Py_PreInitializeFromBytesArgs(&pre, argc, argv)
                                     : Py_PreInitialize(&pre);
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    if (PyStatus_Exception(status)) {
        fail_by(status, &config);
    }
    use_huge_arenas();
    int is_utf8 = waits || strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    freeze_early(path, !is_utf8 || (honours_environment && getenv("PYTHONIOENCODING") != NULL));
    config.use_environment = honours_environment;
    config.parse_argv = is_interpreter;
    config.safe_path = !is_interpreter;
    config.user_site_directory = 0;
    /* Who runs a program doesn't expect files from it. */
    config.write_bytecode = is_interpreter;
    config.pathconfig_warnings = 0;
    if (waits && !is_c && strncmp(locale, "C.", 2) != 0) {
        set_string(&config, &config.stdio_encoding, "utf-8");
        set_string(&config, &config.stdio_errors, "strict");
    }
    const char *optimize = ekiben_setting("optimize");
    if (optimize != NULL) {
        config.optimization_level = optimize[0] - '0';
    }
    status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (PyStatus_Exception(status)) {
        fail_by(status, &config);
    }
    set_string(&config, &config.program_name, path);
    set_string(&config, &config.executable, path);
    set_string(&config, &config.base_executable, path);
    set_string(&config, &config.prefix, path);
    set_string(&config, &config.base_prefix, path);
    set_string(&config, &config.exec_prefix, path);
    set_string(&config, &config.base_exec_prefix, path);
    set_string(&config, &config.platlibdir, "lib");

    size_t room = strlen(path) + 64;
    char *library = malloc(room);
    if (library == NULL) {
        fail(path, "out of memory");
    }
    snprintf(library, room, "%s/lib/python%d.%d", path, PY_MAJOR_VERSION, PY_MINOR_VERSION);
    set_string(&config, &config.stdlib_dir, library);
    strcat(library, "/site-packages");
    site_packages = library;
    status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) {
        fail_by(status, &config);
    }
    PyConfig_Clear(&config);
#ifdef EKIBEN_STATIC
    prefer_heap();
#endif
    locale_is_due = waits;
    /* With -S there was no `site` to do it. */
    PyObject *importer = PyImport_ImportModule("_ekiben_importer");
    PyObject *done = importer == NULL ? NULL : PyObject_CallMethod(importer, "install", NULL);
    if (done == NULL) {
        PyErr_Print();
        fail(path, "the importer can't be started");
    }
    Py_DECREF(done);
    Py_DECREF(importer);
}

/* Calls a function of a module that may not have been imported. */
static void
call_if_imported(const char *module, const char *function)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *found = modules == NULL ? NULL : PyDict_GetItemString(modules, module);
    if (found != NULL && found != Py_None) {
        PyObject *result = PyObject_CallMethod(found, function, NULL);
        if (result == NULL) {
            PyErr_WriteUnraisable(found);
        }
        Py_XDECREF(result);
    }
}

/* Tells that sys.stdout couldn't be flushed, in the words of flush_std_files() in Python/pylifecycle.c. */
static void
tell_unflushed(PyObject *file)
{
#if PY_VERSION_HEX >= 0x030E0000
    (void)file;
    PyErr_FormatUnraisable("Exception ignored while flushing sys.stdout");
#elif PY_VERSION_HEX >= 0x030D0000
    (void)file;
    PyErr_FormatUnraisable("Exception ignored on flushing sys.stdout");
#else
    PyErr_WriteUnraisable(file);
#endif
}

/* Flushes one of sys.stdout and sys.stderr; 0 if that worked. */
static int
flush(const char *name, int tells)
{
    PyObject *file = PySys_GetObject(name);
    if (file == NULL || file == Py_None) {
        return 0;
    }
    PyObject *closed = PyObject_GetAttrString(file, "closed");
    int is_closed = closed != NULL && PyObject_IsTrue(closed) == 1;
    Py_XDECREF(closed);
    PyErr_Clear();
    if (is_closed) {
        return 0;
    }
    PyObject *result = PyObject_CallMethod(file, "flush", NULL);
    if (result != NULL) {
        Py_DECREF(result);
        return 0;
    }
    if (tells) {
        tell_unflushed(file);
    } else {
        PyErr_Clear();
    }
    return -1;
}

/* Ends the interpreter: all that Python promises for the end is done, in the order of Py_FinalizeEx.
 * Unless that is switched off, its objects are then left to the kernel. Returns the exit code. */
static int
finish(int code)
{
    /* Another interpreter of the process has files of its own. */
    int is_alone = PyInterpreterState_Next(PyInterpreterState_Head()) == NULL;
    if (!is_set("fast-exit") || !is_alone) {
        if (is_quiet) {
            /* What run() had the collector leave alone includes the main module's globals. */
            call_if_imported("gc", "unfreeze");
        }
        /* 120 as `python` has it: what was printed may not have arrived. */
        return Py_FinalizeEx() < 0 ? 120 : code;
    }
    call_if_imported("threading", "_shutdown");
    call_if_imported("atexit", "_run_exitfuncs");
    int is_out = flush("stdout", 1) == 0;
    int is_err = flush("stderr", 0) == 0;
    if (!is_out || !is_err) {
        code = 120;
    }
    call_if_imported("_ekiben_importer", "flush_files");
    return code;
}

/* The exit code that SystemExit asks for. Takes over the exception that is set. */
static int
exit_code(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *code = value == NULL ? NULL : PyObject_GetAttrString(value, "code");
    int result = 0;
    if (code == NULL) {
        PyErr_Clear();
        result = 1;
    } else if (code == Py_None) {
        result = 0;
    } else if (PyLong_Check(code)) {
        result = (int)PyLong_AsLong(code);
    } else {
        PyObject *file = PySys_GetObject("stderr");
        PyErr_Clear();
        if (file != NULL && file != Py_None) {
            PyFile_WriteObject(code, file, Py_PRINT_RAW);
        } else {
            PyObject_Print(code, stderr, Py_PRINT_RAW);
            fflush(stderr);
        }
        PySys_WriteStderr("\n");
        result = 1;
    }
    PyErr_Clear();
    Py_XDECREF(code);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return result;
}

/* Runs the main module, and returns the exit code. */
static int
run(const char *name, int *interrupted)
{
    PyObject *importer = PyImport_ImportModule("_ekiben_importer");
    PyObject *code = importer == NULL ? NULL
                                      : PyObject_CallMethod(importer, "prepare_main", "s", name);
    PyObject *result = NULL;
    if (code != NULL) {
        PyObject *main_module = PyImport_AddModule("__main__");
        PyObject *globals = main_module == NULL ? NULL : PyModule_GetDict(main_module);
        if (is_quiet) {
            /* What is there by now stays, so the collector needn't look at it. */
            PyObject *gc = PyImport_ImportModule("gc");
            PyObject *done = gc == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL);
            Py_XDECREF(done);
            Py_XDECREF(gc);
            PyErr_Clear();
            PyGC_Enable();
        }
        /* The collector sees it at the end, unless the program has called gc.freeze() itself. */
        PyObject *witness = PyList_New(0);
        if (witness == NULL || PyObject_SetAttrString(importer, "witness", witness) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(witness);
        if (globals != NULL) {
            result = PyEval_EvalCode(code, globals, globals);
        }
        Py_DECREF(code);
    }
    Py_XDECREF(importer);
    if (result != NULL) {
        Py_DECREF(result);
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        return exit_code();
    }
    *interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyErr_Print();
    return 1;
}

/* The variable that has the path of a program which is an interpreter. */
#define IS_PYTHON "EKIBEN_PYTHON"

/* What ekiben_role() returns, if not 0. */
enum { AS_WORKER = 1, AS_INTERPRETER };

int
main(int argc, char **argv)
{
    const char *called = argc > 0 ? argv[0] : "python";
#ifdef EKIBEN_STATIC
    use_huge_heap();
#endif
    char *path = program_path(called);
    if (path == NULL) {
        fail(called, "out of memory");
    }
    root = path;
    open_image(called);
    PyImport_AppendInittab("_ekiben", PyInit__ekiben);

    const char *name = ekiben_setting("main");
    int is_interpreter = name == NULL;
    int is_asked = argc > 1 && strcmp(argv[1], "--ekiben-python") == 0;
    if (is_asked) {
        memmove(&argv[1], &argv[2], (size_t)(argc - 1) * sizeof *argv);
        argc--;
    } else {
        const char *program = getenv(IS_PYTHON);
        is_interpreter |= program != NULL && strcmp(program, path) == 0;
        if (!is_interpreter) {
            int role = ekiben_role(path, argc, argv);
            is_interpreter = role == AS_WORKER;
            is_asked = role == AS_INTERPRETER;
        }
    }
    if (is_asked) {
        /* What an interpreter starts by sys.executable is to be one. */
        setenv(IS_PYTHON, path, 1);
    }
    if (is_interpreter || is_asked) {
        start(path, argc, argv, 1);
        if (is_quiet) {
            PyGC_Enable();
        }
        return Py_RunMain();
    }
    ekiben_tell_children(path);
    start(path, argc, argv, 0);
    int interrupted = 0;
    int code = finish(run(name, &interrupted));
    if (interrupted) {
        /* As `python` ends: a shell sees that it was the signal. */
        fflush(NULL);
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    exit(code);
}
