/* What each metric and unit means, in a sentence or two, for a page that is read without the manual. tc-metrics(7) has all of it. */
#ifndef TC_DEFINE_H
#define TC_DEFINE_H

/* NULL where nothing is known of it. */
const char *define_metric(const char *name);
const char *define_unit(const char *unit);

#endif
