(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: which registers of an SMMU the host may write, as two pure
    functions of the place, the size and the word; and the accesses themselves.  What the
    policies guarantee is in [Safe].  Stands on MmioRaw. *)
From SeKVM.layers.MmioRaw Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What happens to a write. *)
Definition REFUSE : Z := 0.
Definition PASS : Z := 1.
Definition REPLACE : Z := 2.

(** Translation is not bypassed (bit 0), streams are matched in the plain way (3, 31), a
    stream without a match (10) or with two (21) is a fault. *)
Definition scr0_ok (d : Z) : bool := Z.land d 2149581833 =? 2098176.
(** VMIDs count. *)
Definition scr2_ok (d : Z) : bool := Z.land d 255 =? 0.
(** The bank translates by stage 2 alone, with its owner's VMID.  No VMID is that of a
    free bank. *)
Definition cbar_ok (owner d : Z) : bool := (Z.land d 196608 =? 0) && (Z.land d 255 =? owner).

(** A write to the global half of the frame; [owner] is the owner of the bank whose
    attributes are at [off]. *)
Definition smmu_global_policy (owner off len d : Z) : Z :=
  let verdict (b : bool) := if b then PASS else REFUSE in
  if off =? 0 then verdict ((len =? 4) && scr0_ok d)
  else if off =? 8 then verdict ((len =? 4) && scr2_ok d)
  else if off <? 1024 then PASS
  else if (4096 <=? off) && (off <? 4128) then verdict ((len =? 4) && cbar_ok owner d)
  else REFUSE.

(** A write to the page of a context bank: the place in the page decides. *)
Definition smmu_cb_policy (off len : Z) : Z :=
  let reg := off mod 4096 in
  if (reg =? 32) || (reg =? 36) then REPLACE
  else if (reg =? 0) || (reg =? 48) then if len =? 4 then REPLACE else REFUSE
  else if reg =? 52 then REFUSE
  else PASS.

(** The low four bytes of a word. *)
Definition low_word (v : Z) : Z := v mod 4294967296.

Section MmioCoreAux.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** What the next load of type [t] returns. *)
  Definition device_value (t : ty) (s : St) : Z := wrap t (device_word s).

  (** The owner of bank [cb] of SMMU [ix], by the owners that are locked. *)
  Definition owner_at (cb ix : Z) (s : St) : Z := bank_owner (c_val (st_smmu s)) (bank_number cb ix).

  Definition handle_smmu_global_access_spec : prim St :=
    p4 (Some U32) U32 U64 U32 U32 (fun hsr off len ix s =>
      some m := host_ctxt s;
      rely c_held (st_smmu s);
      rely ix <? 2;
      let owner := owner_at ((off - 4096) / 4) ix s in
      rely in_range U32 owner;
      ret (smmu_global_policy owner off len (host_word (dabt_rd hsr) m)) s).

  Definition handle_smmu_cb_access_spec : prim St :=
    p2 (Some U32) U64 U32 (fun off len s => ret (smmu_cb_policy off len) s).

  (** Store a word to a register. *)
  Definition device_store (a len v : Z) (s : St) : option (res St) :=
    if len =? 8 then ret 0 (set_outs (Mmio_write a 8 v :: st_outs s) s)
    else if len =? 4 then ret 0 (set_outs (Mmio_write a 4 (low_word v) :: st_outs s) s)
    else Some (Halt s).

  Definition __handle_smmu_write_spec : prim St := fun vs s =>
    match vs with
    | [hsr; a; len; v; r] =>
        rely in_range U32 hsr; rely in_range U64 a; rely in_range U32 len; rely in_range U64 v; rely in_range U32 r;
        if r =? 0
        then some m := host_ctxt s; device_store a len (host_word (dabt_rd hsr) m) s
        else device_store a len v s
    | _ => None
    end.

  (** Load a word from a register into register [rd] of the host. *)
  Definition host_put (rd v : Z) (s : St) : option (res St) :=
    if rd =? 31 then ret 0 s
    else some m := host_ctxt s;
         ret 0 (put_ctxt HOSTVISOR (cpu_vcpuid (st_cpu s)) (put_numbered rd v m) s).

  Definition __handle_smmu_read_spec : prim St :=
    p3 None U32 U64 U32 (fun hsr a len s =>
      if len =? 8 then host_put (dabt_rd hsr) (device_value U64 s) (device_taken s)
      else if len =? 4 then host_put (dabt_rd hsr) (device_value U32 s) (device_taken s)
      else Some (Halt s)).

  Definition T : tbl St :=
    [("handle_smmu_global_access", handle_smmu_global_access_spec); ("handle_smmu_cb_access", handle_smmu_cb_access_spec);
     ("__handle_smmu_write", __handle_smmu_write_spec); ("__handle_smmu_read", __handle_smmu_read_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("host_get_mmio_data", host_get_mmio_data_spec); ("host_dabt_get_rd", host_dabt_get_rd);
     ("get_smmu_cfg_vmid", get_smmu_cfg_vmid); ("get_cur_vcpuid", get_cur_vcpuid); ("set_shadow_ctxt", set_shadow_ctxt);
     ("readl_relaxed", device_read U32); ("readq_relaxed", device_read U64);
     ("writel_relaxed", device_write U32 4); ("writeq_relaxed", device_write U64 8); ("panic", panic)].
End MmioCoreAux.
