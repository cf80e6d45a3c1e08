#ifndef OCTAVO_MEMORY_H
#define OCTAVO_MEMORY_H

/* Gives what malloc holds free back to the kernel: malloc_trim(3), which Swift's Glibc overlay lacks. */
void octavo_trim_heap(void);

#endif
