#include "octavo_memory.h"

#include <malloc.h>

void octavo_trim_heap(void) { malloc_trim(0); }
