/* A file as it stands, in the program: INCBIN(name, FILE) defines name[], its octets, and name_end[]. FILE has no quotes. */
#ifndef TC_INCBIN_H
#define TC_INCBIN_H

#include <stdint.h>

#define INCBIN_QUOTED(x) #x
#define INCBIN_FILE(x)	 INCBIN_QUOTED(x)

#ifdef __APPLE__
#define INCBIN_BEGIN   ".const_data\n"
#define INCBIN_END     ".text\n"
#define INCBIN_SYMBOL "_"
#else
#define INCBIN_BEGIN   ".section .rodata\n"
#define INCBIN_END     ".previous\n"
#define INCBIN_SYMBOL ""
#endif

#define INCBIN(name, file)                                                                                                       \
	extern const uint8_t name[], name##_end[];                                                                               \
	__asm__(INCBIN_BEGIN ".balign 16\n.globl " INCBIN_SYMBOL #name "\n" INCBIN_SYMBOL #name ":\n"                             \
			     ".incbin \"" INCBIN_FILE(file) "\"\n"                                                              \
			     ".globl " INCBIN_SYMBOL #name "_end\n" INCBIN_SYMBOL #name "_end:\n.byte 0\n" INCBIN_END)

#endif
