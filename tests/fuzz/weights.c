/* Any octets as weights: refused, or a network that can be run, and be written again: as the same, once its fields are ours. */
#include "mutate.h"
#include "neural/autoencoder.h"
#include "neural/weights.h"
#include "program.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Latents of zeros, decoded: what they come to is nobody's business. */
static void
run(const struct network *net)
{
	static struct code code[4];
	struct activations activations = {0};
	float *z = calloc(4, LATENT_MAX * sizeof *z);

	if (!z || activations_init(&activations, net, 4) < 0)
		found("no memory");
	decode_free(net, &activations, z, net->shape.latent, 4, code);
	activations_free(&activations);
	free(z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *why_not;
	uint8_t hash[WEIGHTS_HASH];
	char why[WEIGHTS_ERROR] = "";
	struct network net;
	size_t size;

	if (linear_start(&why_not) < 0)
		found("%s", why_not);
	if (weights_parse(&net, hash, p, n, why) < 0) {
		if (!*why || net.data)
			found("refused: %s", *why ? why : "without a reason");
		return 0;
	}
	uint8_t *again = weights_build(&net, p[12], &size);
	if (!again)
		found("no memory");
	run(&net);
	network_free(&net);
	if (weights_parse(&net, hash, again, size, why) < 0)
		found("written again they are refused: %s", why);
	uint8_t *third = weights_build(&net, p[12], &n);
	if (!third || size != n || memcmp(again, third, n))
		found("written again they are other weights");
	free(again);
	free(third);
	network_free(&net);
	return 0;
}

/* Mostly with the right hash. */
size_t
LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t max, unsigned seed)
{
	SHA2_CTX c;

	n = LLVMFuzzerMutate(p, n, max);
	if (n > WEIGHTS_HASH && seed % 4) {
		SHA256Init(&c);
		SHA256Update(&c, p, n - WEIGHTS_HASH);
		SHA256Final(p + n - WEIGHTS_HASH, &c);
	}
	return n;
}
