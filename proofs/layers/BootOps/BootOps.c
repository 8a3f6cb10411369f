/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 21, BootOps: the life of a VM.
 *
 * A VM is registered (READY), gets vCPUs and images, and is verified (VERIFIED); only
 * then may its vCPUs run.  Everything that prepares it, its devices too, ends there,
 * and power-off ends all.  Each function is one critical section of the VM's record,
 * with the other locks inside.  What the state of the VM does not allow is a panic;
 * an image that cannot be recorded is an error result.
 */
#include "../prims.h"

/* Where KCore has the byte of an image that the VM has at addr; 0 if there is none. */
u64 search_load_info(u32 vmid, u64 addr)
{
	u64 found = 0ULL;
	u32 i = 0U;
	u32 n;
	u64 base;
	u64 size;
	u64 remap;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		return 0ULL;
	acquire_lock_vm(vmid);
	n = get_vm_next_load_idx(vmid);
	while (i < n) {
		base = get_vm_load_addr(vmid, i);
		size = get_vm_load_size(vmid, i);
		remap = get_vm_remap_addr(vmid, i);
		if (base <= addr && addr - base < size)
			found = remap + (addr - base);
		i = i + 1U;
	}
	release_lock_vm(vmid);
	return found;
}

/* A vCPU starts to run: of a verified VM, and on no other CPU. */
void set_vcpu_active(u32 vmid, u32 vcpuid)
{
	u32 state;
	u32 vcpu;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || vcpuid >= MAX_VCPU)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	vcpu = get_vcpu_state(vmid, vcpuid);
	if (state != VERIFIED || vcpu != READY)
		panic();
	set_vcpu_state(vmid, vcpuid, ACTIVE);
	pull_ctxt(vmid, vcpuid);
	release_lock_vm(vmid);
}

/* It stops; also after the VM was switched off. */
void set_vcpu_inactive(u32 vmid, u32 vcpuid)
{
	u32 vcpu;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || vcpuid >= MAX_VCPU)
		panic();
	acquire_lock_vm(vmid);
	vcpu = get_vcpu_state(vmid, vcpuid);
	if (vcpu != ACTIVE)
		panic();
	push_ctxt(vmid, vcpuid);
	set_vcpu_state(vmid, vcpuid, READY);
	release_lock_vm(vmid);
}

/* A new vCPU, whose context says that it never ran. */
void register_vcpu(u32 vmid, u32 vcpuid)
{
	u32 state;
	u32 vcpu;
	u64 ptr;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || vcpuid >= MAX_VCPU)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	vcpu = get_vcpu_state(vmid, vcpuid);
	if (state != READY || vcpu != UNUSED)
		panic();
	ptr = get_shared_vcpu(vmid, vcpuid);
	set_vm_vcpu(vmid, vcpuid, ptr);
	set_vcpu_state(vmid, vcpuid, READY);
	pull_ctxt(vmid, vcpuid);
	new_shadow_ctxt(vmid, vcpuid);
	push_ctxt(vmid, vcpuid);
	release_lock_vm(vmid);
}

/* A new VM, under a fresh number. */
u32 register_kvm(void)
{
	u32 vmid;
	u32 state;
	u64 kvm;

	vmid = gen_vmid();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != UNUSED)
		panic();
	kvm = get_shared_kvm(vmid);
	set_vm_kvm(vmid, kvm);
	set_vm_state(vmid, READY);
	release_lock_vm(vmid);
	return vmid;
}

/*
 * The VM will have an image of size bytes at load_addr.  The result is its number, or
 * INVALID if it was not recorded: the table is full, the image is empty, too large, not
 * at a page, outside the address space or over another image, or KCore has no addresses
 * left for it.  Two images at one place would make it a matter of order what the VM
 * runs.
 */
u32 set_boot_info(u32 vmid, u64 load_addr, u64 size)
{
	u64 num = size / PAGE_SIZE;
	u64 remap = 0ULL;
	u32 fits = 1U;
	u32 i = 0U;
	u32 state;
	u32 n;
	u64 base;
	u64 other;
	u64 digest;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	if (size % PAGE_SIZE != 0ULL)
		num = num + 1ULL;
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != READY)
		panic();
	n = get_vm_next_load_idx(vmid);
	if (n >= MAX_LOAD_INFO || load_addr % PAGE_SIZE != 0ULL || load_addr >= ADDRESS_LIMIT ||
	    num > (ADDRESS_LIMIT - load_addr) / PAGE_SIZE)
		fits = 0U;
	while (i < n) {
		base = get_vm_load_addr(vmid, i);
		other = get_vm_load_size(vmid, i);
		other = (other + 4095ULL) / PAGE_SIZE;
		if (fits != 0U && base + other * PAGE_SIZE > load_addr && load_addr + num * PAGE_SIZE > base)
			fits = 0U;
		i = i + 1U;
	}
	if (fits != 0U)
		remap = alloc_remap_addr(num);
	if (remap == 0ULL) {
		n = INVALID;
	} else {
		digest = get_image_digest(vmid);
		set_vm_load_addr(vmid, n, load_addr);
		set_vm_load_size(vmid, n, size);
		set_vm_remap_addr(vmid, n, remap);
		set_vm_mapped_pages(vmid, n, 0ULL);
		set_vm_load_digest(vmid, n, digest);
		set_vm_next_load_idx(vmid, n + 1U);
	}
	release_lock_vm(vmid);
	return n;
}

/*
 * The next page of an image is in frame pfn.  KCore only notes the frame in its own
 * table: it does not read it there, and the frame must still be given to the VM before
 * its contents count.  A complete image, or one that is not there, is left alone.
 */
void remap_vm_image(u32 vmid, u64 pfn, u32 load_idx)
{
	u32 state;
	u32 n;
	u64 num;
	u64 mapped;
	u64 remap;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || pfn >= PFN_LIMIT)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != READY)
		panic();
	n = get_vm_next_load_idx(vmid);
	if (load_idx < n) {
		num = get_vm_load_size(vmid, load_idx);
		num = (num + 4095ULL) / PAGE_SIZE;
		mapped = get_vm_mapped_pages(vmid, load_idx);
		remap = get_vm_remap_addr(vmid, load_idx);
		if (mapped < num) {
			map_s2pt(COREVISOR, remap + mapped * PAGE_SIZE, 3U, (pfn * PAGE_SIZE) | PAGE_HYP);
			set_vm_mapped_pages(vmid, load_idx, mapped + 1ULL);
		}
	}
	release_lock_vm(vmid);
}

/*
 * The images become the VM's memory, and only then are they hashed, as the VM sees
 * them: page by page through the VM's own table, and only frames that are the VM's,
 * private, and bound to that page.  Hashing what the host still can write, or other
 * frames than those that the VM gets, would verify something else than what runs.
 */
void verify_and_load_images(u32 vmid)
{
	u32 i = 0U;
	u32 state;
	u32 n;
	u32 owner;
	u32 count;
	u64 num;
	u64 mapped;
	u64 base;
	u64 remap;
	u64 digest;
	u64 hash;
	u64 j;
	u64 pte;
	u64 pfn;
	u64 gfn;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != READY)
		panic();
	n = get_vm_next_load_idx(vmid);
	while (i < n) {
		base = get_vm_load_addr(vmid, i);
		num = get_vm_load_size(vmid, i);
		num = (num + 4095ULL) / PAGE_SIZE;
		mapped = get_vm_mapped_pages(vmid, i);
		remap = get_vm_remap_addr(vmid, i);
		digest = get_vm_load_digest(vmid, i);
		if (mapped != num)
			panic();
		unmap_and_load_vm_image(vmid, base, remap, num);
		hash = HASH_START;
		j = 0ULL;
		while (j < num) {
			gfn = base / PAGE_SIZE + j;
			pte = walk_s2pt(vmid, gfn * PAGE_SIZE);
			pfn = PHYS_PAGE(pte) / PAGE_SIZE;
			acquire_lock_s2page();
			owner = get_pfn_owner(pfn);
			count = get_pfn_count(pfn);
			mapped = get_pfn_map(pfn);
			if (owner != vmid || count != 0U || mapped != gfn)
				panic();
			hash = hash_page(pfn, hash);
			release_lock_s2page();
			j = j + 1ULL;
		}
		if (hash != digest)
			panic();
		i = i + 1U;
	}
	set_vm_state(vmid, VERIFIED);
	release_lock_vm(vmid);
}

/* The tables of a device's context bank.  Those of a VM are made up before it is
 * verified and are frozen then; nothing is left to do for one that is off, whose
 * frames may be anybody's. */
void alloc_smmu(u32 vmid, u32 cbndx, u32 index)
{
	u32 state;

	if (vmid >= COREVISOR || cbndx >= SMMU_NUM_CTXT_BANKS || index >= SMMU_NUM)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (vmid != HOSTVISOR && state != READY)
		panic();
	init_spt(cbndx, index);
	release_lock_vm(vmid);
}

/* The host's own frames need not be assigned. */
void assign_smmu(u32 vmid, u64 pfn, u64 gfn)
{
	u32 state;

	if (vmid >= COREVISOR)
		panic();
	if (vmid != HOSTVISOR) {
		acquire_lock_vm(vmid);
		state = get_vm_state(vmid);
		if (state != READY)
			panic();
		assign_pfn_to_smmu(vmid, gfn, pfn);
		release_lock_vm(vmid);
	}
}

void map_smmu(u32 vmid, u32 cbndx, u32 index, u64 iova, u64 pte)
{
	u32 state;

	if (vmid >= COREVISOR || cbndx >= SMMU_NUM_CTXT_BANKS || index >= SMMU_NUM)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (vmid != HOSTVISOR && state != READY)
		panic();
	update_smmu_page(vmid, cbndx, index, iova, pte);
	release_lock_vm(vmid);
}

void clear_smmu(u32 vmid, u32 cbndx, u32 index, u64 iova)
{
	u32 state;

	if (vmid >= COREVISOR || cbndx >= SMMU_NUM_CTXT_BANKS || index >= SMMU_NUM)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (vmid != HOSTVISOR && state != READY)
		panic();
	unmap_smmu_page(cbndx, index, iova);
	release_lock_vm(vmid);
}

/* A VM gets a device's registers before it is verified; never those of an SMMU, with
 * which it would be its own judge of what its devices may reach. */
void map_io(u32 vmid, u64 gpa, u64 pa)
{
	u64 page = PHYS_PAGE(pa);
	u32 i = 0U;
	u32 state;
	u32 n;
	u64 base;
	u64 size;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	n = get_smmu_num();
	while (i < n) {
		base = get_smmu_base(i);
		size = get_smmu_size(i);
		if (page + PAGE_SIZE > base && (page < base || page - base < size))
			panic();
		i = i + 1U;
	}
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != READY)
		panic();
	map_vm_io(vmid, gpa, pa);
	release_lock_vm(vmid);
}

/* Does the VM go on from a state that was saved elsewhere. */
u32 is_inc_exe(u32 vmid)
{
	u32 inc_exe;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		return 0U;
	acquire_lock_vm(vmid);
	inc_exe = get_vm_inc_exe(vmid);
	release_lock_vm(vmid);
	return inc_exe;
}

/* The registers of a vCPU that does not run go sealed to the host. */
void save_encrypted_vcpu(u32 vmid, u32 vcpuid)
{
	u32 vcpu;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || vcpuid >= MAX_VCPU)
		panic();
	acquire_lock_vm(vmid);
	vcpu = get_vcpu_state(vmid, vcpuid);
	if (vcpu != READY)
		panic();
	pull_ctxt(vmid, vcpuid);
	encrypt_gp_regs(vmid, vcpuid);
	encrypt_sys_regs(vmid, vcpuid);
	push_ctxt(vmid, vcpuid);
	release_lock_vm(vmid);
}

/* A vCPU of a VM that is not verified yet gets its registers from sealed ones. */
void load_encrypted_vcpu(u32 vmid, u32 vcpuid)
{
	u32 state;
	u32 vcpu;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || vcpuid >= MAX_VCPU)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	vcpu = get_vcpu_state(vmid, vcpuid);
	if (state != READY || vcpu != READY)
		panic();
	pull_ctxt(vmid, vcpuid);
	decrypt_gp_regs(vmid, vcpuid);
	decrypt_sys_regs(vmid, vcpuid);
	push_ctxt(vmid, vcpuid);
	set_vm_inc_exe(vmid, 1U);
	release_lock_vm(vmid);
}

/* A frame of the VM goes sealed to a frame of the host; both by byte address, and the
 * frames that are checked are those that are read and written. */
void save_encrypt_buf(u32 vmid, u64 inbuf, u64 outbuf)
{
	u64 from = inbuf / PAGE_SIZE;
	u64 to = outbuf / PAGE_SIZE;
	u32 owner;
	u32 other;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	acquire_lock_s2page();
	owner = get_pfn_owner(from);
	other = get_pfn_owner(to);
	if (owner != vmid || other != HOSTVISOR)
		panic();
	encrypt_mem_buf(vmid, from, to);
	release_lock_s2page();
}

/* A sealed frame of the host becomes the VM's, opened, to be bound to a page later.  A
 * frame that a device of the host uses would stay writable from outside. */
void load_decrypt_buf(u32 vmid, u64 inbuf)
{
	u64 pfn = inbuf / PAGE_SIZE;
	u32 state;
	u32 owner;
	u32 count;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != READY)
		panic();
	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (owner != HOSTVISOR || count != 0U)
		panic();
	clear_pfn_host(pfn);
	set_pfn_owner(pfn, vmid);
	decrypt_mem_buf(vmid, pfn);
	release_lock_s2page();
	release_lock_vm(vmid);
}
