(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: each function's code meets its specification over the part of the
    underlay that it uses.  Used by [Refine]. *)
From SeKVM.layers.BootCore Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.

  Lemma gen_vmid_code : fun_ok (@U N M P) f_gen_vmid gen_vmid_spec.
  Proof. core_intro c; run_vc f_gen_vmid; code_cases. Qed.

  Lemma alloc_remap_addr_code : fun_ok (@U N M P) f_alloc_remap_addr alloc_remap_addr_spec.
  Proof.
    core_intro c; run_vc f_alloc_remap_addr;
      pose proof (Z.mul_div_le (67108864 - next_remap_ptr (c_val c)) 4096 ltac:(lia));
      pose proof (Z.mul_succ_div_gt (67108864 - next_remap_ptr (c_val c)) 4096 ltac:(lia)); code_cases.
  Qed.
End Code.
