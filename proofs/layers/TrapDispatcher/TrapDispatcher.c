/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 32, TrapDispatcher: what the host or a VM that trapped asks for.
 *
 * The arguments of a call come from outside.  One that is not of its type is refused
 * here, with an answer, so that it is no reason to stop the machine.
 */
#include "../prims.h"

/* From here to the end mark: generated from hypercalls.yaml by `aetool proofs hypercalls`. */
#define HVC_TIMER_SET_CNTVOFF 13ULL
#define HVC_CLEAR_VM_S2_RANGE 14ULL
#define HVC_SET_BOOT_INFO 15ULL
#define HVC_REMAP_VM_IMAGE 16ULL
#define HVC_VERIFY_VM_IMAGE 17ULL
#define HVC_SMMU_FREE_PGD 18ULL
#define HVC_SMMU_ALLOC_PGD 19ULL
#define HVC_SMMU_LPAE_MAP 20ULL
#define HVC_SMMU_LPAE_IOVA_TO_PHYS 21ULL
#define HVC_SMMU_CLEAR 22ULL
#define HVC_PHYS_ADDR_IOREMAP 23ULL
#define HVC_REGISTER_KVM 24ULL
#define HVC_REGISTER_VCPU 25ULL
#define HVC_ENCRYPT_BUF 26ULL
#define HVC_DECRYPT_BUF 27ULL
#define HVC_SAVE_CRYPT_VCPU 28ULL
#define HVC_LOAD_CRYPT_VCPU 29ULL

/* The answer to a call that is refused. */
#define HVC_REFUSED 0xFFFFFFFFFFFFFFFFULL

/* The host's call: what it asks for is in x0, the answer goes there. */
void host_hvc_dispatcher(void)
{
	u32 vmid;
	u32 vcpuid;
	u64 number;
	u64 arg1;
	u64 arg2;
	u64 arg3;
	u64 arg4;
	u64 arg5;
	u64 answer;

	vmid = get_cur_vmid();
	vcpuid = get_cur_vcpuid();
	number = get_shadow_ctxt(vmid, vcpuid, 0U);
	arg1 = get_shadow_ctxt(vmid, vcpuid, 1U);
	arg2 = get_shadow_ctxt(vmid, vcpuid, 2U);
	arg3 = get_shadow_ctxt(vmid, vcpuid, 3U);
	arg4 = get_shadow_ctxt(vmid, vcpuid, 4U);
	arg5 = get_shadow_ctxt(vmid, vcpuid, 5U);
	answer = HVC_REFUSED;
	if (number == HVC_TIMER_SET_CNTVOFF) {
		timer_set_cntvoff(arg1);
		answer = 0ULL;
	} else if (number == HVC_CLEAR_VM_S2_RANGE) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg3 <= 0x1000000000000ULL &&
		    arg2 <= 0x1000000000000ULL - arg3) {
			clear_vm_stage2_range((u32)arg1, arg2, arg3);
			answer = 0ULL;
		}
	} else if (number == HVC_SET_BOOT_INFO) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg3 <= 0x1000000000000ULL &&
		    arg2 <= 0x1000000000000ULL - arg3) {
			answer = set_boot_info((u32)arg1, arg2, arg3);
		}
	} else if (number == HVC_REMAP_VM_IMAGE) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 0x1000000000ULL &&
		    arg3 < 5ULL) {
			remap_vm_image((u32)arg1, arg2, (u32)arg3);
			answer = 0ULL;
		}
	} else if (number == HVC_VERIFY_VM_IMAGE) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL) {
			verify_and_load_images((u32)arg1);
			answer = 0ULL;
		}
	} else if (number == HVC_SMMU_FREE_PGD) {
		if (arg1 < 8ULL &&
		    arg2 < 2ULL) {
			el2_free_smmu_pgd((u32)arg1, (u32)arg2);
			answer = 0ULL;
		}
	} else if (number == HVC_SMMU_ALLOC_PGD) {
		if (arg1 < 8ULL &&
		    arg2 < 16ULL &&
		    arg3 < 2ULL) {
			el2_alloc_smmu_pgd((u32)arg1, (u32)arg2, (u32)arg3);
			answer = 0ULL;
		}
	} else if (number == HVC_SMMU_LPAE_MAP) {
		if (arg1 < 0x10000000000ULL &&
		    arg2 < 0x1000000000000ULL &&
		    arg4 < 8ULL &&
		    arg5 < 2ULL) {
			el2_arm_lpae_map(arg1, arg2, arg3, (u32)arg4, (u32)arg5);
			answer = 0ULL;
		}
	} else if (number == HVC_SMMU_LPAE_IOVA_TO_PHYS) {
		if (arg1 < 0x10000000000ULL &&
		    arg2 < 8ULL &&
		    arg3 < 2ULL) {
			answer = el2_arm_lpae_iova_to_phys(arg1, (u32)arg2, (u32)arg3);
		}
	} else if (number == HVC_SMMU_CLEAR) {
		if (arg1 < 0x10000000000ULL &&
		    arg2 < 8ULL &&
		    arg3 < 2ULL) {
			el2_arm_lpae_clear(arg1, (u32)arg2, (u32)arg3);
			answer = 0ULL;
		}
	} else if (number == HVC_PHYS_ADDR_IOREMAP) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg4 <= 0x1000000000000ULL &&
		    arg2 <= 0x1000000000000ULL - arg4 &&
		    arg4 <= 0x1000000000000ULL &&
		    arg3 <= 0x1000000000000ULL - arg4) {
			kvm_phys_addr_ioremap((u32)arg1, arg2, arg3, arg4);
			answer = 0ULL;
		}
	} else if (number == HVC_REGISTER_KVM) {
		answer = register_kvm();
	} else if (number == HVC_REGISTER_VCPU) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 8ULL) {
			register_vcpu((u32)arg1, (u32)arg2);
			answer = 0ULL;
		}
	} else if (number == HVC_ENCRYPT_BUF) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 0x1000000000000ULL &&
		    arg3 < 0x1000000000000ULL) {
			save_encrypt_buf((u32)arg1, arg2, arg3);
			answer = 0ULL;
		}
	} else if (number == HVC_DECRYPT_BUF) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 0x1000000000000ULL) {
			load_decrypt_buf((u32)arg1, arg2);
			answer = 0ULL;
		}
	} else if (number == HVC_SAVE_CRYPT_VCPU) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 8ULL) {
			save_encrypted_vcpu((u32)arg1, (u32)arg2);
			answer = 0ULL;
		}
	} else if (number == HVC_LOAD_CRYPT_VCPU) {
		if (arg1 >= 1ULL &&
		    arg1 < 16ULL &&
		    arg2 < 8ULL) {
			load_encrypted_vcpu((u32)arg1, (u32)arg2);
			answer = 0ULL;
		}
	}
	set_shadow_ctxt(vmid, vcpuid, 0U, answer);
}
/* End of the generated part. */

/*
 * Does the VM go on (0), or does the host decide (1).  KCore serves two classes: an access
 * to a system register is skipped, a call may be about sharing memory.  All else, also
 * what no host knows, is the host's to judge: nothing that a VM does stops the machine.
 */
u32 vm_exit_dispatcher(u32 vmid, u32 vcpuid)
{
	u64 syndrome;
	u32 class;
	u32 leave = 1U;

	syndrome = get_shadow_ctxt(vmid, vcpuid, REG_ESR_EL2);
	class = ESR_CLASS((u32)syndrome);
	if (class == CLASS_SYS64) {
		core_handle_sys64();
		leave = 0U;
	} else if (class == CLASS_HVC64) {
		leave = core_handle_pvops();
	}
	return leave;
}
