/* Text that goes into a page: nothing in it can be taken for markup. */
#ifndef TC_MARKUP_H
#define TC_MARKUP_H

#include <stdio.h>

/* Any octets; those that are no UTF-8, and characters that no page may have, become U+FFFD each. */
void markup_text(FILE *f, const char *text);

#endif
