/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types, constants and prototypes shared by the C code of all layers.
 *
 * The first group of prototypes are the primitives of the bottom machine, whose
 * meaning is in proofs/machine/Bottom.v; the rest are the layers' own functions,
 * lowest layer first.  The numbers agree with the definitions of the same name there
 * and in proofs/machine/State.v.
 */
#ifndef SEKVM_PRIMS_H
#define SEKVM_PRIMS_H

typedef unsigned int u32;
typedef unsigned long long u64;

#define INVALID   0xFFFFFFFFU
#define INVALID64 0xFFFFFFFFFFFFFFFFULL

#define HOSTVISOR 0U
#define COREVISOR 16U

#define PAGE_SIZE 4096ULL

/* One numbering of locks and of the objects that they protect. */
#define LOCK_CORE      1U
#define LOCK_S2PAGE    2U
#define LOCK_SPT       3U
#define LOCK_SMMU      4U
#define LOCK_NPT(vmid) (5U + (vmid))
#define LOCK_VM(vmid)  (22U + (vmid))

/* The pool of a VM's stage-2 table: root page, then three pools of table pages. */
#define POOL_START(vmid) (65536ULL + 33554432ULL * (vmid))
#define PGD_START(vmid)  (POOL_START(vmid) + 4096ULL)
#define PUD_START(vmid)  (POOL_START(vmid) + 1052672ULL)
#define PMD_START(vmid)  (POOL_START(vmid) + 9441280ULL)
#define POOL_END(vmid)   (POOL_START(vmid) + 33554432ULL)

/* The SMMU tables: roots of the context banks, then two pools of table pages. */
#define SMMU_POOL_START 65536ULL
#define SMMU_PGD_START  1114112ULL
#define SMMU_PMD_START  2162688ULL
#define SMMU_POOL_END   3211264ULL

/* Bottom machine: control. */
void panic(void);
void tlb_flush(u32 vmid, u64 addr);
void smmu_tlb_flush(u32 cbndx, u32 index, u64 addr);

/* Bottom machine: stage-2 tables. */
u64 get_pgd_next(u32 vmid);
void set_pgd_next(u32 vmid, u64 next);
u64 get_pud_next(u32 vmid);
void set_pud_next(u32 vmid, u64 next);
u64 get_pmd_next(u32 vmid);
void set_pmd_next(u32 vmid, u64 next);
u64 pt_load(u32 vmid, u64 addr);
void pt_store(u32 vmid, u64 addr, u64 value);
u64 get_pt_vttbr(u32 vmid);

/* Bottom machine: SMMU tables. */
u64 get_smmu_pgd_next(void);
void set_smmu_pgd_next(u64 next);
u64 get_smmu_pmd_next(void);
void set_smmu_pmd_next(u64 next);
u64 smmu_pt_load(u64 addr);
void smmu_pt_store(u64 addr, u64 value);
u64 get_smmu_cfg_hw_ttbr(u32 cbndx, u32 index);

/* Bottom machine: ticket locks, by lock number, and the ghost hand-over of the object. */
u32 incr_ticket(u32 lk);
u32 get_now(u32 lk);
void incr_now(u32 lk);
void barrier(void);
void pull(u32 lk);
void push(u32 lk);

/* Layers 1 to 3, LockOps, LockOpsQ, LockOpsH. */
void wait_lock(u32 lk);
void pass_lock(u32 lk);
void wait_qlock(u32 lk);
void pass_qlock(u32 lk);
void wait_hlock(u32 lk);
void pass_hlock(u32 lk);

/* Layer 4, Locks: by number, and by object. */
void acquire_lock(u32 lk);
void release_lock(u32 lk);
void acquire_lock_pt(u32 vmid);
void release_lock_pt(u32 vmid);
void acquire_lock_vm(u32 vmid);
void release_lock_vm(u32 vmid);
void acquire_lock_core(void);
void release_lock_core(void);
void acquire_lock_s2page(void);
void release_lock_s2page(void);
void acquire_lock_spt(void);
void release_lock_spt(void);
void acquire_lock_smmu(void);
void release_lock_smmu(void);

/* Layer 5, PTAlloc. */
u64 alloc_pgd_page(u32 vmid);
u64 alloc_pud_page(u32 vmid);
u64 alloc_pmd_page(u32 vmid);

/* Page-table entries and indices. */
#define PTE_TABLE      3ULL
#define PHYS_PAGE(e)   ((e) & 0x0000FFFFFFFFF000ULL)
#define PGD_INDEX(a)   (((a) >> 39) & 511ULL)
#define PUD_INDEX(a)   (((a) >> 30) & 511ULL)
#define PMD_INDEX(a)   (((a) >> 21) & 511ULL)
#define PTE_INDEX(a)   (((a) >> 12) & 511ULL)
#define PAGE_GUEST     0x0200000000000000ULL

/* Addresses that stage-2 tables translate have 48 bits, and so have physical ones; frames are numbered accordingly. */
#define ADDR_LIMIT     281474976710656ULL
#define PFN_LIMIT      68719476736ULL

/* For tlb_flush and smmu_tlb_flush: every address of the table. */
#define ALL_ADDRESSES  INVALID64

/* Layer 6, PTWalk. */
u64 walk_pgd(u32 vmid, u64 vttbr, u64 addr, u32 alloc);
u64 walk_pud(u32 vmid, u64 pgd, u64 addr, u32 alloc);
u64 walk_pmd(u32 vmid, u64 pud, u64 addr, u32 alloc);
u64 walk_pte(u32 vmid, u64 pmd, u64 addr);
void set_pmd(u32 vmid, u64 pud, u64 addr, u64 pmd);
void set_pte(u32 vmid, u64 pmd, u64 addr, u64 pte);

/* Bottom machine: a user's access to the word of physical memory at addr, through a general register of this CPU. */
#define USER_REGS  31U
void phys_load(u64 addr, u32 reg);
void phys_store(u64 addr, u32 reg);

/* What the hardware looks at: the low bits of a block are 01, of a page 11; who may read and write; a block's size. */
#define PTE_BLOCK  1ULL
#define PTE_READ   64ULL
#define PTE_WRITE  128ULL
#define BLOCK_SIZE 2097152ULL
#define PAGES_PER_BLOCK 512ULL

/* Layer 7, NPTWalk. */
u32 get_npt_level(u32 vmid, u64 addr);
u64 walk_npt(u32 vmid, u64 addr);
void set_npt(u32 vmid, u64 addr, u32 level, u64 pte);
u32 mem_load_ref(u32 vmid, u64 addr, u32 reg);
u32 mem_store_ref(u32 vmid, u64 addr, u32 reg);

/* Layer 8, NPTOps. */
u32 get_level_s2pt(u32 vmid, u64 addr);
u64 walk_s2pt(u32 vmid, u64 addr);
void map_s2pt(u32 vmid, u64 addr, u32 level, u64 pte);
void clear_pfn_host(u64 pfn);

/* Indices of the SMMU tables: ten bits at the root, two pages. */
#define SMMU_PGD_INDEX(a) (((a) >> 30) & 1023ULL)
#define SMMU_PGD_ENTRIES  1024ULL

/* Addresses that SMMU tables translate have 40 bits; there are two SMMUs with eight context banks each. */
#define SMMU_ADDR_LIMIT 1099511627776ULL
#define SMMU_LIMIT      2U
#define SMMU_BANK_LIMIT 8U

/* Layer 9, MmioPTAlloc. */
u64 alloc_smmu_pgd_page(void);
u64 alloc_smmu_pmd_page(void);

/* Layer 10, MmioPTWalk. */
u64 walk_smmu_pgd(u64 ttbr, u64 addr, u32 alloc);
u64 walk_smmu_pmd(u64 pgd, u64 addr, u32 alloc);
u64 walk_smmu_pte(u64 pmd, u64 addr);
void set_smmu_pte(u64 pmd, u64 addr, u64 pte);
void clear_smmu_pgd(u64 ttbr);

/* Layer 11, MmioSPTWalk. */
u64 walk_smmu_pt(u32 cbndx, u32 index, u64 addr);
void set_smmu_pt(u32 cbndx, u32 index, u64 addr, u64 pte);
void clear_smmu_pt(u32 cbndx, u32 index);
u32 dev_load_ref(u32 cbndx, u32 index, u64 addr, u32 reg);
u32 dev_store_ref(u32 cbndx, u32 index, u64 addr, u32 reg);

/* Layer 12, MmioSPTOps. */
void init_spt(u32 cbndx, u32 index);
u64 walk_spt(u32 cbndx, u32 index, u64 addr);
void map_spt(u32 cbndx, u32 index, u64 addr, u64 pte);
u64 unmap_spt(u32 cbndx, u32 index, u64 addr);

/* Bottom machine: the firmware's memory map, the raw page-ownership table, scrubbing. */
u32 get_mem_region_cnt(void);
u64 get_mem_region_base(u32 i);
u64 get_mem_region_size(u32 i);
u64 get_mem_region_index(u32 i);
u32 get_s2_page_vmid(u64 index);
void set_s2_page_vmid(u64 index, u32 vmid);
u32 get_s2_page_count(u64 index);
void set_s2_page_count(u64 index, u32 count);
u64 get_s2_page_gfn(u64 index);
void set_s2_page_gfn(u64 index, u64 gfn);
void clear_phys_page(u64 pfn);

/* Bottom machine: this CPU's registers, saved contexts, the host's view of a vCPU. */
u32 get_cur_vmid(void);
u32 get_cur_vcpuid(void);
void set_per_cpu(u32 vmid, u32 vcpuid);
u64 read_actlr_el1(void);
u64 read_hpfar_el2(void);
u32 read_esr_el2(void);
void host_skip_instr(void);
void core_handle_sys64(void);
void timer_set_cntvoff(u64 offset);
void activate_traps(void);
void deactivate_traps(void);
void timer_enable_traps(void);
void timer_disable_traps(void);
void host_el2_restore_state(void);
void vm_el2_restore_state(void);
void host_to_core(void);
void vm_to_core(void);
void core_to_host(void);
void core_to_vm(void);
void exit_populate_fault(void);
void save_sysregs(void);
void restore_sysregs(void);
void fpsimd_save_state(void);
void fpsimd_restore_state(void);
u64 get_shadow_ctxt(u32 vmid, u32 vcpuid, u32 reg);
void set_shadow_ctxt(u32 vmid, u32 vcpuid, u32 reg, u64 value);
u32 get_shadow_esr(u32 vmid, u32 vcpuid);
u64 get_shadow_dirty_bit(u32 vmid, u32 vcpuid);
void set_shadow_dirty_bit(u32 vmid, u32 vcpuid, u64 bits);
void clear_shadow_gp_regs(u32 vmid, u32 vcpuid);
void reset_fp_regs(u32 vmid, u32 vcpuid);
u64 get_sys_reg_desc_val(u32 i);
u64 get_exception_vector(u64 pstate);
u64 get_int_pc(u32 vmid, u32 vcpuid);
u64 get_int_pstate(u32 vmid, u32 vcpuid);
u64 get_int_gpr(u32 vmid, u32 vcpuid, u32 reg);
u32 get_int_inject(u32 vmid, u32 vcpuid);
u64 get_vm_fault_addr(u32 vmid, u32 vcpuid);
u64 get_int_new_pte(u32 vmid, u32 vcpuid);
u32 get_int_new_level(u32 vmid, u32 vcpuid);
u32 get_int_run_vcpuid(u32 vmid);
void set_int_gpr(u32 vmid, u32 vcpuid, u32 reg, u64 value);
void set_int_fault(u32 vmid, u32 vcpuid, u32 reg, u64 value);

/* Numbers of the members of a saved context. */
#define REG_PC         32U
#define REG_PSTATE     33U
#define REG_ELR_EL1    35U
#define REG_SPSR_EL1   36U
#define REG_FAR_EL2    41U
#define REG_HPFAR_EL2  42U
#define REG_EC         44U
#define REG_FLAGS      46U
#define REG_ESR_EL1    55U
#define REG_VBAR_EL1   60U
#define REG_ESR_EL2    72U

/* Layer 13, MemRegion. */
u32 mem_region_search(u64 addr);

/* Layer 14, PageIndex. */
u64 get_s2_page_index(u64 addr);

/* Layer 15, PageManager. */
u32 get_pfn_owner(u64 pfn);
void set_pfn_owner(u64 pfn, u32 vmid);
u32 get_pfn_count(u64 pfn);
void set_pfn_count(u64 pfn, u32 count);
u64 get_pfn_map(u64 pfn);
void set_pfn_map(u64 pfn, u64 gfn);

/* Entries of stage-2 tables: bits 0 to 11 of a page and of a block, and of a device. */
#define PAGE_S2        0x0000000000000FFFULL
#define BLOCK_S2       0x0000000000000FFDULL
#define PAGE_S2_DEVICE 0x00400000000007C7ULL

#define MAX_SHARE_COUNT 100U

/* Layer 16, MemManager. */
void map_page_host(u64 addr);
void clear_vm_page(u32 vmid, u64 pfn);
void assign_pfn_to_vm(u32 vmid, u64 gfn, u64 pfn);
void map_pfn_vm(u32 vmid, u64 addr, u64 pte, u32 level);
void map_vm_io(u32 vmid, u64 gpa, u64 pa);
void grant_vm_page(u32 vmid, u64 pfn);
void revoke_vm_page(u32 vmid, u64 pfn);
void assign_pfn_to_smmu(u32 vmid, u64 gfn, u64 pfn);
void update_smmu_page(u32 vmid, u32 cbndx, u32 index, u64 iova, u64 pte);
void unmap_smmu_page(u32 cbndx, u32 index, u64 iova);

/* Layer 17, MemoryOps. */
void clear_vm_range(u32 vmid, u64 pfn, u64 num);
void prot_and_map_vm_s2pt(u32 vmid, u64 addr, u64 pte, u32 level);
void grant_stage2_sg_gpa(u32 vmid, u64 addr, u64 size);
void revoke_stage2_sg_gpa(u32 vmid, u64 addr, u64 size);

/* Bottom machine: the counters of KCore. */
u32 get_next_vmid(void);
void set_next_vmid(u32 vmid);
u64 get_next_remap_ptr(void);
void set_next_remap_ptr(u64 ptr);

/* Bottom machine: the record of a VM, only while its lock is held. */
u32 get_vm_state(u32 vmid);
void set_vm_state(u32 vmid, u32 state);
u64 get_vm_kvm(u32 vmid);
void set_vm_kvm(u32 vmid, u64 kvm);
u32 get_vm_inc_exe(u32 vmid);
void set_vm_inc_exe(u32 vmid, u32 inc_exe);
u32 get_vcpu_state(u32 vmid, u32 vcpuid);
void set_vcpu_state(u32 vmid, u32 vcpuid, u32 state);
u64 get_vm_vcpu(u32 vmid, u32 vcpuid);
void set_vm_vcpu(u32 vmid, u32 vcpuid, u64 vcpu);
u32 get_vm_next_load_idx(u32 vmid);
void set_vm_next_load_idx(u32 vmid, u32 idx);
u64 get_vm_load_addr(u32 vmid, u32 idx);
void set_vm_load_addr(u32 vmid, u32 idx, u64 addr);
u64 get_vm_load_size(u32 vmid, u32 idx);
void set_vm_load_size(u32 vmid, u32 idx, u64 size);
u64 get_vm_remap_addr(u32 vmid, u32 idx);
void set_vm_remap_addr(u32 vmid, u32 idx, u64 addr);
u64 get_vm_mapped_pages(u32 vmid, u32 idx);
void set_vm_mapped_pages(u32 vmid, u32 idx, u64 pages);
u64 get_vm_load_digest(u32 vmid, u32 idx);
void set_vm_load_digest(u32 vmid, u32 idx, u64 digest);

/* Bottom machine: saved contexts change hands (ghosts), one that never ran, and
 * encrypted transfer of its registers. */
void pull_ctxt(u32 vmid, u32 vcpuid);
void push_ctxt(u32 vmid, u32 vcpuid);
void new_shadow_ctxt(u32 vmid, u32 vcpuid);
void encrypt_gp_regs(u32 vmid, u32 vcpuid);
void encrypt_sys_regs(u32 vmid, u32 vcpuid);
void decrypt_gp_regs(u32 vmid, u32 vcpuid);
void decrypt_sys_regs(u32 vmid, u32 vcpuid);

/* Bottom machine: what the host and the signed image say, the hash of a frame
 * continuing another, and encrypted transfer of frames. */
u64 get_shared_kvm(u32 vmid);
u64 get_shared_vcpu(u32 vmid, u32 vcpuid);
u64 get_image_digest(u32 vmid);
u64 hash_page(u64 pfn, u64 hash);
void encrypt_mem_buf(u32 vmid, u64 from, u64 to);
void decrypt_mem_buf(u32 vmid, u64 pfn);

/* The states of a VM and of a vCPU. */
#define UNUSED   0U
#define READY    2U
#define VERIFIED 3U
#define POWEROFF 4U
#define ACTIVE   5U

#define MAX_VCPU      8U
#define MAX_LOAD_INFO 5U

/* Layer 18, VMPower. */
u32 get_vm_poweron(u32 vmid);
void set_vm_poweroff(u32 vmid);

/* KCore's addresses at which images of VMs are collected. */
#define REMAP_START 33554432ULL
#define REMAP_END   67108864ULL

/* The initial value of hash_page's second argument. */
#define HASH_START 14695981039346656037ULL

/* Layer 19, BootCore. */
u32 gen_vmid(void);
u64 alloc_remap_addr(u64 pgnum);

/* Layer 20, BootAux. */
void unmap_and_load_vm_image(u32 vmid, u64 target_addr, u64 remap_addr, u64 num);

/* Guest addresses have 48 bits; entries of KCore's own table. */
#define ADDRESS_LIMIT 281474976710656ULL
#define PAGE_HYP      0x0040000000000753ULL

/* Layer 21, BootOps. */
u64 search_load_info(u32 vmid, u64 addr);
void set_vcpu_active(u32 vmid, u32 vcpuid);
void set_vcpu_inactive(u32 vmid, u32 vcpuid);
void register_vcpu(u32 vmid, u32 vcpuid);
u32 register_kvm(void);
u32 set_boot_info(u32 vmid, u64 load_addr, u64 size);
void remap_vm_image(u32 vmid, u64 pfn, u32 load_idx);
void verify_and_load_images(u32 vmid);
void alloc_smmu(u32 vmid, u32 cbndx, u32 index);
void assign_smmu(u32 vmid, u64 pfn, u64 gfn);
void map_smmu(u32 vmid, u32 cbndx, u32 index, u64 iova, u64 pte);
void clear_smmu(u32 vmid, u32 cbndx, u32 index, u64 iova);
void map_io(u32 vmid, u64 gpa, u64 pa);
u32 is_inc_exe(u32 vmid);
void save_encrypted_vcpu(u32 vmid, u32 vcpuid);
void load_encrypted_vcpu(u32 vmid, u32 vcpuid);
void save_encrypt_buf(u32 vmid, u64 inbuf, u64 outbuf);
void load_decrypt_buf(u32 vmid, u64 inbuf);

/* Bottom machine: the SMMUs, owners of their context banks, device registers, and the
 * decoding of an access of the host that trapped. */
u32 get_smmu_num(void);
u64 get_smmu_base(u32 index);
u64 get_smmu_size(u32 index);
u32 get_smmu_num_context_banks(u32 index);
u32 get_smmu_cfg_vmid(u32 cbndx, u32 index);
void set_smmu_cfg_vmid(u32 cbndx, u32 index, u32 vmid);
u32 readl_relaxed(u64 addr);
u64 readq_relaxed(u64 addr);
void writel_relaxed(u32 value, u64 addr);
void writeq_relaxed(u64 value, u64 addr);
u32 host_dabt_get_rd(u32 hsr);
u32 host_dabt_get_as(u32 hsr);
u32 host_dabt_is_write(u32 hsr);
u64 host_get_fault_ipa(u64 addr);

/* Room for SMMUs and for context banks of each; what devices may address. */
#define SMMU_NUM            2U
#define SMMU_NUM_CTXT_BANKS 8U
#define SMMU_IOVA_LIMIT     0x0000010000000000ULL

/* An entry of an SMMU table: what the host chooses (memory type, access, no execution),
 * and what it does not (accessed, inner shareable, a page). */
#define SMMU_PTE_PROT  0x00400000000000FCULL
#define SMMU_PTE_FIXED 0x0000000000000703ULL

/* The register that reads as zero and ignores writes. */
#define ZERO_REGISTER 31U

/* Layer 22, MmioRaw. */
u64 host_get_mmio_data(u32 hsr);
u64 smmu_init_pte(u64 prot, u64 addr);
u32 smmu_get_cbndx(u64 offset);

/* A frame of SMMU registers is 64 KiB: global registers, then a page for each context
 * bank. */
#define SMMU_OFFSET_MASK 0xFFFFULL
#define SMMU_CB_BASE     0x8000ULL
#define SMMU_CB_MASK     0xFFFULL

/* Global registers: configuration, the first of the secure aliases and the stream table,
 * and the attributes of context banks. */
#define SMMU_SCR0     0x0ULL
#define SMMU_SCR2     0x8ULL
#define SMMU_GR0_OPEN 0x400ULL
#define SMMU_CBAR     0x1000ULL
#define SMMU_CBAR_END 0x1020ULL

/* sCR0: translation is not bypassed (bit 0), streams are matched in the plain way (3, 31),
 * a stream without a match (10) or with two (21) is a fault. */
#define SMMU_SCR0_FILTER 0x80200409ULL
#define SMMU_SCR0_SAFE   0x00200400ULL
#define SMMU_SCR2_BPVMID 0xFFULL

/* CBAR: VMID of the bank, and its type, 0 for translation by stage 2 alone. */
#define SMMU_CBAR_VMID 0xFFULL
#define SMMU_CBAR_TYPE 0x30000ULL

/* Registers of a context bank, and the values that KCore puts into two of them:
 * translation on, faults reported; 40-bit addresses, tables of three levels. */
#define SMMU_CB_SCTLR      0x0ULL
#define SMMU_CB_TTBR0      0x20ULL
#define SMMU_CB_TTBR0_HIGH 0x24ULL
#define SMMU_CB_TCR        0x30ULL
#define SMMU_CB_CONTEXTIDR 0x34ULL
#define SMMU_SCTLR_VALUE   0x61ULL
#define SMMU_TCR_VALUE     0x80023558ULL

/* What happens to a write of the host. */
#define SMMU_REFUSE  0U
#define SMMU_PASS    1U
#define SMMU_REPLACE 2U

/* Layer 23, MmioCoreAux. */
u32 handle_smmu_global_access(u32 hsr, u64 offset, u32 len, u32 index);
u32 handle_smmu_cb_access(u64 offset, u32 len);
void __handle_smmu_write(u32 hsr, u64 fault_ipa, u32 len, u64 value, u32 replace);
void __handle_smmu_read(u32 hsr, u64 fault_ipa, u32 len);

/* Layer 24, MmioCore. */
void handle_smmu_write(u32 hsr, u64 fault_ipa, u32 len, u32 index);
void handle_smmu_read(u32 hsr, u64 fault_ipa, u32 len);

/* The syndrome of a data access describes the instruction. */
#define DABT_VALID 0x01000000U

/* Layer 25, MmioOpsAux. */
u32 is_smmu_range(u64 addr);
void handle_host_mmio(u64 addr, u32 index, u32 hsr);

/* Layer 26, MmioOps. */
u32 emulate_mmio(u64 addr, u32 hsr);
void el2_free_smmu_pgd(u32 cbndx, u32 index);
void el2_alloc_smmu_pgd(u32 cbndx, u32 vmid, u32 index);
void smmu_assign_page(u32 cbndx, u32 index, u64 pfn, u64 gfn);
void smmu_map_page(u32 cbndx, u32 index, u64 iova, u64 pte);
void el2_arm_lpae_clear(u64 iova, u32 cbndx, u32 index);
u64 el2_arm_lpae_iova_to_phys(u64 iova, u32 cbndx, u32 index);
u32 vm_has_bank(u32 vmid);

/* The dirty word of a context: bits 0 to 30, the host sets that register before the
 * next run; bit 32, the instruction is done; all ones, the vCPU never ran. */
#define DIRTY_X0 1ULL
#define DIRTY_PC 0x100000000ULL
#define NEVER_RAN INVALID64

/* Processor states: the mode's field, exceptions taken to EL1 and with which a vCPU starts. */
#define PSTATE_MODE 0x1FULL
#define PSTATE_EL1H 5ULL
#define PSTATE_EL1  0x3C5ULL

/* Syndrome of a data abort: valid, register, write. */
#define ESR_ISV    0x1000000ULL
#define ESR_SRT(e) ((u32)(((e) >> 16) & 31ULL))
#define ESR_WNR    0x40ULL

/* Below this page a VM has no memory: the host emulates devices there. */
#define MAX_MMIO_PAGE 0x40000ULL

#define PSCI_CPU_ON64        0xC4000003U
#define PSCI_AFFINITY_INFO   0x84000004U
#define PSCI_AFFINITY_INFO64 0xC4000004U
#define PSCI_SYSTEM_OFF      0x84000008U

/* Layer 27, VCPUOpsAux. */
void reset_gp_regs(u32 vmid, u32 vcpuid);
void reset_sys_regs(u32 vmid, u32 vcpuid);
void sync_dirty_to_shadow(u32 vmid, u32 vcpuid);
void prep_wfx(u32 vmid, u32 vcpuid);
void prep_hvc(u32 vmid, u32 vcpuid);
void prep_abort(u32 vmid, u32 vcpuid);
void update_exception_gp_regs(u32 vmid, u32 vcpuid);
void post_handle_shadow_s2pt_fault(u32 vmid, u32 vcpuid, u64 addr);

/* Why a CPU came to KCore, and the class of a trap. */
#define EXCEPTION_TRAP      2ULL
#define EXCEPTION_INTERRUPT 31ULL
#define ESR_CLASS(e)        ((e) >> 26)
#define CLASS_WFX           1U
#define CLASS_HVC32         18U
#define CLASS_HVC64         22U
#define CLASS_SYS64         24U
#define CLASS_IABT          32U
#define CLASS_DABT          36U

/* Layer 28, VCPUOps. */
void save_shadow_kvm_regs(void);
void restore_shadow_kvm_regs(void);

/* Layer 29, CtxtSwitch. */
void save_host(void);
void restore_host(void);
void save_vm(void);
void restore_vm(void);

/* Layer 30, MemHandler. */
void clear_vm_stage2_range(u32 vmid, u64 start, u64 size);
void el2_arm_lpae_map(u64 iova, u64 paddr, u64 prot, u32 cbndx, u32 index);
void kvm_phys_addr_ioremap(u32 vmid, u64 gpa, u64 pa, u64 size);

/* HPFAR_EL2: bits 12 to 47 of the address that faulted, from bit 4 on. */
#define HPFAR_PAGE(x) (((x) & 0x000000FFFFFFFFF0ULL) << 8)

/* What a VM asks of KCore: to share memory with the host, to share it no more. */
#define HVC_KVM_SET_DESC_PFN   11ULL
#define HVC_KVM_UNSET_DESC_PFN 12ULL

/* Layer 31, FaultHandler. */
void handle_host_stage2_fault(void);
u32 core_handle_pvops(void);

/* Layer 32, TrapDispatcher. */
void host_hvc_dispatcher(void);
u32 vm_exit_dispatcher(u32 vmid, u32 vcpuid);

/* Layer 33, TrapHandlerRaw. */
void host_hvc_handler_raw(void);
void host_npt_handler_raw(void);
void host_vcpu_run_handler_raw(void);
void vm_exit_handler_raw(void);

/* Layer 34, TrapHandler. */
void host_hvc_handler(void);
void host_npt_handler(void);
void host_vcpu_run_handler(void);
void vm_exit_handler(void);
u32 mem_load(u64 addr, u32 reg);
u32 mem_store(u64 addr, u32 reg);
u32 dev_load(u64 addr, u32 reg, u32 cbndx, u32 index);
u32 dev_store(u64 addr, u32 reg, u32 cbndx, u32 index);

#endif
