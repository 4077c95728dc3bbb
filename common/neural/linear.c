#include "neural/linear.h"

#include "support/wide.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef OPENBLAS
#define OPENBLAS "libopenblas.so.0"
#endif
#ifndef MAP_NORESERVE /* the way it is there */
#define MAP_NORESERVE 0
#endif

static __typeof__(&cblas_sgemm) sgemm;
static char *(*corename)(void);

/*
 * OpenBLAS is loaded by name, not linked, since it chooses as it is loaded, and chooses badly: Debian 12's 0.3.21 takes a
 * processor that it doesn't know for one without AVX (of an Intel Xeon with AVX-512 it made a Prescott: products took 4.2
 * times as long, tc-enc 2.1 times), and begins as many threads as there are cores. Linked, it would be there before main()
 * could tell it better; its environment is the only way, and loading it again.
 */
static void *
load(const char **why)
{
	void *lib = dlopen(OPENBLAS, RTLD_NOW | RTLD_LOCAL);

	if (!lib || !(sgemm = (__typeof__(sgemm))dlsym(lib, "cblas_sgemm")) ||
	    !(corename = (char *(*)(void))dlsym(lib, "openblas_get_corename"))) {
		*why = dlerror();
		return NULL;
	}
	return lib;
}

/* What vectors the kernels of that name work with: 2 AVX-512, 1 AVX2, 0 shorter ones. */
static int
width_of(const char *kernel)
{
	static const char *const names[] = {"Haswell", "Zen", "Excavator", "SkylakeX", "Cooperlake", "SapphireRapids"};

	for (int i = 0; i < 6; i++)
		if (strcmp(kernel, names[i]) == 0)
			return 1 + (i >= 3);
	return 0;
}

/* What vectors this processor has, likewise. */
static int
width_here(void)
{
#if defined __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		return 2;
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
	return 0;
#endif
}

int
linear_start(const char **why)
{
	void *lib;

	if (sgemm)
		return 0;
	setenv("OPENBLAS_NUM_THREADS", "1", 0);
	if (!(lib = load(why)))
		return -1;
	if (getenv("OPENBLAS_CORETYPE") || width_of(corename()) >= width_here())
		return 0;
	/* OpenBLAS chooses once, as it is loaded. */
	setenv("OPENBLAS_CORETYPE", width_here() == 2 ? "SkylakeX" : "Haswell", 1);
	dlclose(lib);
	return load(why) ? 0 : -1;
}

/* OpenBLAS takes 128 MiB a thread at the first large product, and where there are none it tries for ever. */
#define ROOM ((size_t)160 << 20)

int
linear_room(int threads)
{
	size_t n = threads * ROOM;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	munmap(p, n);
	return 0;
}

void
linear_forward(const struct layer *l, const float *x, int ldx, float *y, int ldy, int n, int add)
{
	if (n == 0)
		return;
	for (int i = 0; i < n; i++) {
		float *row = y + (long)i * ldy;
		if (add)
			for (int j = 0; j < l->out; j++)
				row[j] += l->b[j];
		else
			memcpy(row, l->b, l->out * sizeof *row);
	}
	sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, l->out, l->in, 1, x, ldx, l->w, l->out, 1, y, ldy);
}

void
linear_backward(const struct layer *l, const float *x, int ldx, const float *dy, int lddy,
		float *dx, int lddx, float *dw, float *db, int n, int add)
{
	if (n == 0)
		return;
	if (dx)
		sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, l->in, l->out, 1, dy, lddy, l->w, l->out, add, dx, lddx);
	if (!dw)
		return;
	sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, l->in, l->out, n, 1, x, ldx, dy, lddy, 1, dw, l->out);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < l->out; j++)
			db[j] += dy[(long)i * lddy + j];
}

WIDE void
relu_forward(float *y, int ld, int cols, int n)
{
	for (int i = 0; i < n; i++) {
		float *row = y + (long)i * ld;
		for (int j = 0; j < cols; j++)
			row[j] = row[j] > 0 ? row[j] : 0;
	}
}

void
relu_backward(const float *y, int ldy, float *dy, int lddy, int cols, int n)
{
	for (int i = 0; i < n; i++) {
		const float *row = y + (long)i * ldy;
		float *drow = dy + (long)i * lddy;
		for (int j = 0; j < cols; j++)
			drow[j] = row[j] > 0 ? drow[j] : 0;
	}
}
