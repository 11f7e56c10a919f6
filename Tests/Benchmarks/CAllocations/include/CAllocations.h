#pragma once

/// How often the calling thread has asked for memory. Linking this library replaces malloc and its kin by ones that count.
unsigned long carillon_allocations(void);
