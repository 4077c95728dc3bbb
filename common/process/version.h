/* The version of all programs: here and nowhere else. */
#ifndef TC_VERSION_H
#define TC_VERSION_H

#define TC_VERSION "0.10.0"

#endif
