/*
 * Plots as SVG: axes, curves, bars, a heat map, text. Lengths are pixels of a plot SVG_WIDTH wide, which a page shows at least
 * about as wide. Colours, dashes and text sizes are classes, which the page's style has: a and b for the two traces.
 */
#ifndef TC_SVG_H
#define TC_SVG_H

#include <stdbool.h>
#include <stdio.h>

#define SVG_WIDTH 340

/* What a number on an axis is. */
enum svg_unit { SVG_COUNT, SVG_TIME /* ns */, SVG_SHARE /* 0 to 1, in % */, SVG_TIMES /* multiples */ };

struct axis {
	double low, high;
	bool log;
	enum svg_unit unit;
	double from, to; /* pixels of low and high */
};

/* A number in at most five characters and its unit, such as 1.5k or 20 ms. */
void svg_number(char *to, size_t n, enum svg_unit unit, double v);

/* A figure with its title above, and a note below unless that is empty or NULL. */
void svg_begin(FILE *f, const char *title, int height);
void svg_end(FILE *f, const char *note);
/* anchor: 's'tart, 'm'iddle, 'e'nd. Escaped. */
void svg_text(FILE *f, double x, double y, char anchor, const char *class, const char *text);
void svg_line(FILE *f, const char *class, double x1, double y1, double x2, double y2);
void svg_rect(FILE *f, const char *class, double x, double y, double w, double h, double opacity);
/* A and B and how each is drawn, as bars or as curves, along the top. */
void svg_legend(FILE *f, bool bars);

/* A whole power of ten below and above; the pixels stay. */
void axis_log(struct axis *a, double low, double high);
/* From 0. */
void axis_linear(struct axis *a, double high);
double axis_at(const struct axis *a, double v);
/* With ticks, their numbers, and lines across the plot, from one end of the other axis to its other. */
void axis_across(FILE *f, const struct axis *x, const struct axis *y, const char *title);
void axis_up(FILE *f, const struct axis *x, const struct axis *y);

/* Steps: y[i] from x[i] to x[i + 1]; so there are n + 1 of x. */
void svg_steps(FILE *f, const char *class, const struct axis *ax, const struct axis *ay, const double *x, const double *y,
	       int n);

#endif
