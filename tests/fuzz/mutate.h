/* libFuzzer's mutator for streams: half of the time it changes actions and latents, not octets, and
 * ends the stream with the right checksum, so that what is behind the reader is reached. */
#ifndef TC_MUTATE_H
#define TC_MUTATE_H

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *p, size_t n, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t max, unsigned seed);

#endif
