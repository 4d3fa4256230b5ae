/* shards._cuts: `Cuts`, an iterator over the places where data is cut.
 *
 * A sum of the last 64 bytes rolls over the data, and where its top bits are zero, a shard ends. So
 * the same content is cut in the same places, whatever precedes it.
 *
 * Only the limited API is used: the class is made from a specification when the module is imported,
 * and data is read through the buffer protocol, which is in the limited API since 3.11.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* After so many shifts, a byte has left the sum. */
#define WINDOW 64

/* What a byte adds to the sum; filled when the module is imported. */
static uint64_t weights[256];

typedef struct {
    PyObject_HEAD
    Py_buffer data;
    /* Where the next shard begins. */
    Py_ssize_t begin;
    Py_ssize_t least;
    Py_ssize_t most;
    /* How far the sum is shifted so that only the bits remain that decide. */
    unsigned int shift;
} Cuts;

/* SplitMix64: the same numbers on all machines. */
static void fill_weights(void)
{
    uint64_t state = 0;
    for (int i = 0; i < 256; i++) {
        uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        weights[i] = mixed ^ (mixed >> 31);
    }
}

/* The end of the shard that starts at `begin`. */
static Py_ssize_t find_end(const Cuts *cuts, Py_ssize_t begin)
{
    const unsigned char *bytes = cuts->data.buf;
    const Py_ssize_t rest = cuts->data.len - begin;
    if (rest <= cuts->least) {
        return cuts->data.len;
    }
    const Py_ssize_t last = begin + (rest < cuts->most ? rest : cuts->most);
    /* A run of one byte, as disk images have them, is found faster than by sums. */
    if (memcmp(bytes + begin, bytes + begin + 1, (size_t)(last - begin - 1)) == 0) {
        return last;
    }
    const Py_ssize_t first = begin + cuts->least;
    uint64_t sum = 0;
    for (Py_ssize_t at = first - WINDOW; at < last; at++) {
        if (at >= first && sum >> cuts->shift == 0) {
            return at;
        }
        sum = (sum << 1) + weights[bytes[at]];
    }
    return last;
}

static PyObject *cuts_next(PyObject *object)
{
    Cuts *cuts = (Cuts *)object;
    const Py_ssize_t begin = cuts->begin;
    if (begin >= cuts->data.len) {
        return NULL;
    }
    Py_ssize_t end;
    Py_BEGIN_ALLOW_THREADS
    end = find_end(cuts, begin);
    Py_END_ALLOW_THREADS
    cuts->begin = end;
    return PyLong_FromSsize_t(end);
}

static PyObject *cuts_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"data", "least", "usual", "most", NULL};
    Py_buffer data;
    Py_ssize_t least, usual, most;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "y*nnn:Cuts", names, &data, &least,
                                     &usual, &most)) {
        return NULL;
    }
    if (least < WINDOW || most < least) {
        PyErr_Format(PyExc_ValueError, "shards of %zd to %zd bytes: at least %d are needed", least,
                     most, WINDOW);
        goto failed;
    }
    if (usual < 2 || (usual & (usual - 1)) != 0) {
        PyErr_Format(PyExc_ValueError, "usual is %zd, which isn't a power of two", usual);
        goto failed;
    }
    Cuts *cuts = (Cuts *)PyType_GenericAlloc(type, 0);
    if (cuts == NULL) {
        goto failed;
    }
    cuts->data = data;
    cuts->least = least;
    cuts->most = most;
    cuts->shift = 64;
    for (Py_ssize_t left = usual; left > 1; left >>= 1) {
        cuts->shift--;
    }
    return (PyObject *)cuts;

failed:
    PyBuffer_Release(&data);
    return NULL;
}

static void cuts_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyBuffer_Release(&((Cuts *)object)->data);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    /* Objects own their class if that was made from a specification. */
    Py_DECREF(type);
}

PyDoc_STRVAR(cuts_doc, "Cuts(data, least, usual, most)\n--\n\n"
                       "The ends of the shards of `data`, a bytes-like object.\n\n"
                       "Each has at least `least` bytes, but for the last, at most `most`, and\n"
                       "`least + usual` on average; `usual` is a power of two.");

static PyType_Slot cuts_slots[] = {
    {Py_tp_doc, (void *)cuts_doc},
    {Py_tp_new, cuts_new},
    {Py_tp_dealloc, cuts_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, cuts_next},
    {0, NULL},
};

static PyType_Spec cuts_spec = {
    .name = "shards._cuts.Cuts",
    .basicsize = sizeof(Cuts),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = cuts_slots,
};

static int execute(PyObject *module)
{
    fill_weights();
    PyObject *type = PyType_FromModuleAndSpec(module, &cuts_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    const int added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return added;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "shards._cuts",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__cuts(void)
{
    return PyModuleDef_Init(&definition);
}
