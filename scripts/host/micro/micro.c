/* SPDX-License-Identifier: Apache-2.0
 *
 * What single operations of a guest cost on any hypervisor, measured without an operating system in the way:
 *
 *   hypercall    an HVC that the hypervisor's kernel part answers (PSCI_VERSION)
 *   io_kernel    a read of a device that the kernel emulates (the distributor of the GIC)
 *   io_user      a read of a device that QEMU emulates (a virtio-mmio transport)
 *   virtual_ipi  an interrupt to the second vCPU, until that has acknowledged it
 *
 * Prints one line a repetition:  micro OPERATION REPETITION ITERATIONS TICKS CYCLES
 * where CYCLES is 0 if the machine gives the guest no cycle counter. The first repetition warms up and has
 * the number 0. The line "micro done" is the last; its absence means that the run cannot be trusted.
 */
typedef unsigned int u32;
typedef unsigned long u64;

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define GICR_STRIDE 0x20000ul
#define GICR_SGI 0x10000ul
#define VIRTIO 0x0a000000ul

#define PSCI_VERSION 0x84000000ul
#define PSCI_CPU_ON 0xc4000003ul
#define PSCI_SYSTEM_OFF 0x84000008ul

#define SPURIOUS 1020
#define SGI 1ul

#define READ(reg) ({ u64 v_; __asm__ volatile("mrs %0, " reg : "=r"(v_)); v_; })
#define WRITE(reg, value) __asm__ volatile("msr " reg ", %0\n\tisb" ::"r"((u64)(value)) : "memory")

/* names of the GIC's registers for assemblers that do not know them */
#define ICC_PMR "S3_0_C4_C6_0"
#define ICC_IAR1 "S3_0_C12_C12_0"
#define ICC_EOIR1 "S3_0_C12_C12_1"
#define ICC_SRE "S3_0_C12_C12_5"
#define ICC_IGRPEN1 "S3_0_C12_C12_7"
#define ICC_SGI1R "S3_0_C12_C11_5"

extern const volatile u32 iterations, repetitions;
extern void second_start(void);

static volatile u32 second_ready, acknowledged;
static int have_cycles;

static void write32(u64 address, u32 value) { *(volatile u32 *)address = value; }
static u32 read32(u64 address) { return *(volatile u32 *)address; }

static u64 hvc(u64 function, u64 a, u64 b, u64 c)
{
    register u64 x0 __asm__("x0") = function;
    register u64 x1 __asm__("x1") = a;
    register u64 x2 __asm__("x2") = b;
    register u64 x3 __asm__("x3") = c;
    __asm__ volatile("hvc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "memory");
    return x0;
}

static void put(const char *text)
{
    while (*text)
        write32(UART, (u32)*text++);
}

static void put_number(u64 value)
{
    char digits[21];
    int i = 20;
    digits[20] = 0;
    do {
        digits[--i] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(" ");
    put(digits + i);
}

static void off(void)
{
    hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

/* called from the vectors: nothing here should ever trap into the guest itself */
void unexpected(u64 syndrome, u64 link, u64 address)
{
    put("micro unexpected");
    put_number(syndrome);
    put_number(link);
    put_number(address);
    put("\n");
    off();
}

static u64 ticks(void)
{
    __asm__ volatile("isb");
    return READ("cntvct_el0");
}

static u64 cycles(void)
{
    __asm__ volatile("isb");
    return have_cycles ? READ("pmccntr_el0") : 0;
}

static void start_cycles(void)
{
    u64 version = READ("id_aa64dfr0_el1") >> 8 & 15;
    have_cycles = version != 0 && version != 15;
    if (have_cycles) {
        WRITE("pmccfiltr_el0", 0);
        WRITE("pmcntenset_el0", 1ul << 31);
        /* enable, reset the counter, 64 bits of it */
        WRITE("pmcr_el0", 1 | 1 << 2 | 1 << 6);
    }
}

static void start_gic(int cpu)
{
    u64 base = GICR + (u64)cpu * GICR_STRIDE;
    write32(base + 0x14, read32(base + 0x14) & ~2u); /* wake */
    while (read32(base + 0x14) & 4u)
        ;
    write32(base + GICR_SGI + 0x80, ~0u);      /* group 1 */
    write32(base + GICR_SGI + 0x100, 1u << SGI); /* enabled */
    WRITE(ICC_SRE, READ(ICC_SRE) | 1);
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN1, 1);
}

/* Interrupts stay masked: a pending one ends WFI all the same, and is then acknowledged by hand. */
void second_cpu(void)
{
    start_gic(1);
    second_ready = 1;
    for (;;) {
        u64 number = READ(ICC_IAR1);
        if (number < SPURIOUS) {
            WRITE(ICC_EOIR1, number);
            acknowledged++;
            __asm__ volatile("dsb sy");
        } else {
            __asm__ volatile("wfi");
        }
    }
}

static void hypercall(void) { hvc(PSCI_VERSION, 0, 0, 0); }
static void io_kernel(void) { read32(GICD + 8); }
static void io_user(void) { read32(VIRTIO); }

static void virtual_ipi(void)
{
    u32 before = acknowledged;
    __asm__ volatile("dsb sy");
    WRITE(ICC_SGI1R, SGI << 24 | 1ul << 1); /* to the second CPU of the first cluster */
    while (acknowledged == before)
        ;
}

static void measure(const char *name, void (*operation)(void))
{
    for (u32 repetition = 0; repetition <= repetitions; repetition++) {
        u64 from = ticks(), first = cycles();
        for (u32 i = 0; i < iterations; i++)
            operation();
        u64 last = cycles(), to = ticks();
        put("micro ");
        put(name);
        put_number(repetition);
        put_number(iterations);
        put_number(to - from);
        put_number(last - first);
        put("\n");
    }
}

void first_cpu(void)
{
    put("micro frequency");
    put_number(READ("cntfrq_el0"));
    put("\n");
    start_cycles();
    measure("hypercall", hypercall);
    measure("io_kernel", io_kernel);
    measure("io_user", io_user);
    write32(GICD, 0x12); /* affinity routing, group 1 */
    start_gic(0);
    if (hvc(PSCI_CPU_ON, 1, (u64)second_start, 0) == 0) {
        while (!second_ready)
            ;
        measure("virtual_ipi", virtual_ipi);
    } else {
        put("micro no second cpu\n");
    }
    put("micro done\n");
    off();
}
