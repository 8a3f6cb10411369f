(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the primitives on registers and contexts; moves of many registers stay closed.  Rests on
    [BottomCtxt]. *)
From SeKVM.machine Require Export BottomTac BottomCtxt.

#[export] Hint Unfold get_cur_vmid get_cur_vcpuid set_per_cpu get_shadow_ctxt set_shadow_ctxt get_shadow_esr
  get_shadow_dirty_bit set_shadow_dirty_bit clear_regs save_regs restore_regs set_control
  vm_el2_restore_state host_el2_restore_state skip_instr read_reg timer_set_cntvoff read_input get_int get_int_gpr
  get_int_run_vcpuid set_int get_sys_reg_desc_val get_exception_vector : prims.

Global Opaque move_regs zeros.
