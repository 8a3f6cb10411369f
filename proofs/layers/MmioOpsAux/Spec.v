(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 25, MmioOpsAux: the search for the SMMU at an address, as a function of what the
    firmware says; and one access of the host from the trap to the next instruction.
    Defined on every well-formed list of SMMUs, full ones included.  Stands on MmioCore. *)
From SeKVM.layers.MmioCore Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A well-formed SMMU: one frame of 64 KiB, aligned, at a 48-bit address.  So the place
    in the frame is the low half of the address, and there is nothing beyond the frame. *)
Definition smmu_ok (d : smmu_dev) : bool :=
  (0 <=? smmu_base d) && (smmu_base d + 65536 <=? 281474976710656) && (smmu_base d mod 65536 =? 0) &&
  (smmu_size d =? 65536) && (0 <=? smmu_banks d) && (smmu_banks d <=? 8).

(** At most two. *)
Definition smmus_ok (l : list smmu_dev) : bool := (Z.of_nat (length l) <=? 2) && forallb smmu_ok l.

Definition smmu_hit (a : Z) (d : smmu_dev) : bool := (smmu_base d <=? a) && (a <? smmu_base d + smmu_size d).

(** The number of the last SMMU of [l] at [a], numbering from [i]; [found] if none. *)
Fixpoint smmu_search (a : Z) (l : list smmu_dev) (i found : Z) : Z :=
  match l with
  | [] => found
  | d :: l => smmu_search a l (i + 1) (if smmu_hit a d then i else found)
  end.
Definition smmu_at (a : Z) (l : list smmu_dev) : Z := smmu_search a l 0 INVALID.

(** The hardware describes the instruction. *)
Definition dabt_valid (hsr : Z) : bool := negb (Z.land hsr 16777216 =? 0).

Section MmioOpsAux.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Definition is_smmu_range_spec : prim St :=
    p1 (Some U32) U64 (fun a s =>
      rely smmus_ok (boot_smmus (st_boot s)); ret (smmu_at a (boot_smmus (st_boot s))) s).

  (** The access, and then the next instruction. *)
  Definition host_access (hsr a ix : Z) (s : St) : option (res St) :=
    if dabt_store hsr =? 0
    then handle_smmu_read_spec [hsr; a; dabt_bytes hsr] s
    else handle_smmu_write_spec [hsr; a; dabt_bytes hsr; ix] s.

  Definition handle_host_mmio_spec : prim St :=
    p3 None U64 U32 U32 (fun a ix hsr s =>
      if dabt_valid hsr
      then match host_access hsr (fault_ipa a s) ix s with
           | Some (Ok _ s) => skip_instr [] s
           | r => r
           end
      else Some (Halt s)).

  Definition T : tbl St := [("is_smmu_range", is_smmu_range_spec); ("handle_host_mmio", handle_host_mmio_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (MmioCore.Spec.T ++
     [("get_smmu_num", get_smmu_num); ("get_smmu_base", smmu_get U64 smmu_base); ("get_smmu_size", smmu_get U64 smmu_size);
      ("host_dabt_get_as", host_dabt_get_as); ("host_dabt_is_write", host_dabt_is_write);
      ("host_get_fault_ipa", host_get_fault_ipa); ("host_skip_instr", skip_instr); ("panic", panic)])%list.
End MmioOpsAux.
