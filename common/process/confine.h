/*
 * What a program gives up once all is open. Input from anywhere may one day find a way to make a program do what it never
 * should; then it still can't do more than read and write what it holds. SECURITY in tracecodec(7) says what is refused.
 */
#ifndef TC_CONFINE_H
#define TC_CONFINE_H

/* For all threads, those that run already too, and for good. 0, or -1 with errno where the kernel can't. */
int confine(void);

#endif
