(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: an access of the host to a frame of SMMU registers.  One pure
    function says what a store writes, or that it is refused.  Stands on MmioCoreAux. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Wp.
From SeKVM.layers.MmioCoreAux Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Whole registers only. *)
Definition access_ok (off len : Z) : bool := ((len =? 4) || (len =? 8)) && (off mod len =? 0).

(** KCore's values: translation on, faults reported; 40-bit addresses, three levels. *)
Definition SMMU_SCTLR : Z := 97.
Definition SMMU_TCR : Z := 2147628376.

(** What KCore writes at [off] of SMMU [ix] in place of what the host wanted. *)
Definition replacement (ix off : Z) : Z :=
  let reg := off mod 4096 in
  if reg =? 0 then SMMU_SCTLR
  else if reg =? 48 then SMMU_TCR
  else if reg =? 36 then smmu_ttbr ix (cb_of off) / 4294967296
  else smmu_ttbr ix (cb_of off).

(** The word that a store of [d] at offset [off] of SMMU [ix] writes, before it is cut
    to [len] bytes; [None]: refused.  [owners] are the owners of the banks. *)
Definition store_policy (owners : gmap Z Z) (ix off len d : Z) : option Z :=
  if access_ok off len then
    let verdict :=
      if off <? 32768 then smmu_global_policy (bank_owner owners (bank_number ((off - 4096) / 4) ix)) off len d
      else smmu_cb_policy off len in
    if verdict =? REFUSE then None
    else Some (if verdict =? REPLACE then replacement ix off else d)
  else None.

Section MmioCore.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** The owner that a store at address [a] of SMMU [ix] asks for is a 32-bit word. *)
  Definition owner_known (a ix : Z) (s : St) : bool := in_range U32 (owner_at ((a mod 65536 - 4096) / 4) ix s).

  Definition handle_smmu_write_spec : prim St :=
    p4 None U32 U64 U32 U32 (fun hsr a len ix s =>
      some m := host_ctxt s;
      rely c_held (st_smmu s);
      rely ix <? 2;
      rely owner_known a ix s;
      match store_policy (c_val (st_smmu s)) ix (a mod 65536) len (host_word (dabt_rd hsr) m) with
      | Some v => device_store a len v s
      | None => Some (Halt s)
      end).

  Definition handle_smmu_read_spec : prim St :=
    p3 None U32 U64 U32 (fun hsr a len s =>
      if access_ok (a mod 65536) len then __handle_smmu_read_spec [hsr; a; len] s else Some (Halt s)).

  Definition T : tbl St :=
    [("handle_smmu_write", handle_smmu_write_spec); ("handle_smmu_read", handle_smmu_read_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (MmioCoreAux.Spec.T ++
     [("smmu_get_cbndx", smmu_get_cbndx_spec); ("get_smmu_cfg_hw_ttbr", get_smmu_cfg_hw_ttbr); ("panic", panic)])%list.
End MmioCore.
