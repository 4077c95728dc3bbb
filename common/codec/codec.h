/*
 * The codec, on one page: an action to a latent of three blocks and back, each packet of itself alone.
 *
 * Representation. An action as tc-lift gives it, relative to its own flow and nothing else, is taken apart (names.h) into
 * what it does, whom it names, and when it comes. What it does becomes bits (code.h): a coarse one for each field that is
 * there, then the details of the values; a number is its length in bits, then its mantissa, in Gray code (forms.h).
 *
 * Assigned. *who*: two coordinates a name, digits of tc-lift's own slot number. *when*: a sign, ramps that together are
 * the logarithm of the step, the rest of the mantissa (when.h). Neither takes weights, memory or time. Of *what*, a training
 * begins with an assignment (tc-train/init.c): each bit gets two coordinates.
 *
 * Learned. From there a variational autoencoder learns *what* (network.h): dense layers that know what bits have to do with
 * each other, and straight ways from each bit to its coordinates and back.
 *
 * State. None in what a latent means. The encoder remembers what became of an action (cache.h), refines a latent that is read
 * wrong or nearly so (refine.h), puts the action beside it as a patch where that fails, and sees to it that a time step that
 * is rounded doesn't move an idle gap across its time-out (idle.h).
 */
#ifndef TC_CODEC_H
#define TC_CODEC_H

#include "code/names.h"
#include "code/when.h"
#include "neural/autoencoder.h"
#include "record/stream.h"

#define CODEC_ASSIGNED	   (NAMES_COORDINATES + WHEN_COORDINATES)
#define CODEC_HEADER_WORDS ((sizeof(struct stream_header) + 7) / 8) /* of a block's arena */

/* The lengths of a latent's blocks, by STREAM_BLOCKS. */
static inline void
codec_blocks(const struct network *net, uint32_t *block)
{
	block[STREAM_WHAT] = net->shape.latent;
	block[STREAM_WHO] = NAMES_COORDINATES;
	block[STREAM_WHEN] = WHEN_COORDINATES;
}

#endif
