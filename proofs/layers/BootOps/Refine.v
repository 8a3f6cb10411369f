(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the layer's refinement theorem for the functions whose code is
    proved, over every interface that has what the code uses. *)
From SeKVM.layers.BootOps Require Import Code Spec ProofCode.
Local Open Scope string_scope.

Definition proved : list ident :=
  ["set_vcpu_active"; "set_vcpu_inactive"; "register_vcpu"; "register_kvm"; "alloc_smmu"; "assign_smmu"; "map_smmu";
   "clear_smmu"; "map_io"; "is_inc_exe"; "save_encrypted_vcpu"; "load_encrypted_vcpu"; "save_encrypt_buf"; "load_decrypt_buf"].
Definition only {A} (ns : list ident) (l : list (ident * A)) : list (ident * A) :=
  List.filter (fun x => is_one_of (fst x) ns) l.

Lemma BootOps_code : mod_ok U (only proved code) (only proved T).
Proof.
  repeat split.
  - exact set_vcpu_active_code.
  - exact set_vcpu_inactive_code.
  - exact register_vcpu_code.
  - exact register_kvm_code.
  - exact alloc_smmu_code.
  - exact assign_smmu_code.
  - exact map_smmu_code.
  - exact clear_smmu_code.
  - exact map_io_code.
  - exact is_inc_exe_code.
  - exact save_encrypted_vcpu_code.
  - exact load_encrypted_vcpu_code.
  - exact save_encrypt_buf_code.
  - exact load_decrypt_buf_code.
Qed.

Theorem BootOps_refines (L0 : tbl hstate) ns : keeps U L0 ->
  refines req (graph (over (only proved T) (hide ns L0))) (sem (only proved code) (graph L0)).
Proof. intros K. exact (layer_refines U L0 _ _ ns BootOps_code K). Qed.
