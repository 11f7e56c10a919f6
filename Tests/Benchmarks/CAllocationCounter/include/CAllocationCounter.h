#pragma once

// To be preloaded (LD_PRELOAD): counts each malloc, calloc, realloc and aligned allocation of a process, in the first eight bytes
// of the file that CARILLON_ALLOCATIONS names.
