/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry of the bare-metal guest that measures what single operations cost (micro.c).
 *
 * It is loaded as a raw image and entered at EL1 with the MMU off. The words after the first branch are the
 * guest's parameters: whoever starts it writes them into the file (aetool/lab/micro.py).
 */
    .section .text.start, "ax"
    .global _start, iterations, repetitions, second_start, unexpected

_start:
    b       1f
    .ascii  "MICR"
iterations:
    .word   0
repetitions:
    .word   0

1:  adr     x0, vectors
    msr     vbar_el1, x0
    adrp    x0, first_stack_top
    add     sp, x0, :lo12:first_stack_top
    bl      first_cpu
2:  wfi
    b       2b

second_start:
    adr     x0, vectors
    msr     vbar_el1, x0
    adrp    x0, second_stack_top
    add     sp, x0, :lo12:second_stack_top
    bl      second_cpu
    b       2b

    .balign 2048
vectors:
    .rept   16
    .balign 128
    mrs     x0, esr_el1
    mrs     x1, elr_el1
    mrs     x2, far_el1
    b       unexpected
    .endr

    .bss
    .balign 16
    .space  4096
first_stack_top:
    .space  4096
second_stack_top:
