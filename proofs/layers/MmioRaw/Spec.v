(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 22, MmioRaw: the register that a trapped access of the host names, the entry of
    an SMMU table, the context bank of an offset.  An entry's frame is the one of the
    address, whatever the host asks for.  Stands on the bottom primitives for trapped
    accesses and saved contexts. *)
From SeKVM.lib Require Import Bits Wp.
From Coq Require Import Lia.
From SeKVM.machine Require Export BottomMmio BottomCtxt.
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Bits of an entry that are the host's to choose: memory type and access (2 to 7), no
    execution (54); and those that always are set: accessed, inner shareable, a page. *)
Definition SMMU_PTE_PROT : Z := 18014398509482236.
Definition SMMU_PTE_FIXED : Z := 1795.
Definition smmu_pte (prot a : Z) : Z := Z.lor (Z.lor (phys a) (Z.land prot SMMU_PTE_PROT)) SMMU_PTE_FIXED.

(** The bank of an offset: a page for each of the eight in the upper half of the frame. *)
Definition cb_of (off : Z) : Z := (off / 4096) mod 8.

Section MmioRaw.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** The host's context on this CPU, if it may be touched. *)
  Definition host_ctxt (s : St) : option regfile :=
    if in_range U32 (cpu_vcpuid (st_cpu s)) then get_ctxt HOSTVISOR (cpu_vcpuid (st_cpu s)) s else None.

  (** The value of general register [rd]; 31 reads as zero. *)
  Definition host_word (rd : Z) (m : regfile) : Z :=
    if rd =? 31 then 0 else numbered rd m.

  Definition host_get_mmio_data_spec : prim St :=
    p1 (Some U64) U32 (fun hsr s => some m := host_ctxt s; ret (host_word (dabt_rd hsr) m) s).
  Definition smmu_init_pte_spec : prim St := p2 (Some U64) U64 U64 (fun prot a s => ret (smmu_pte prot a) s).
  Definition smmu_get_cbndx_spec : prim St := p1 (Some U32) U64 (fun off s => ret (cb_of off) s).

  Definition T : tbl St :=
    [("host_get_mmio_data", host_get_mmio_data_spec); ("smmu_init_pte", smmu_init_pte_spec);
     ("smmu_get_cbndx", smmu_get_cbndx_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("host_dabt_get_rd", host_dabt_get_rd); ("get_cur_vcpuid", get_cur_vcpuid); ("get_shadow_ctxt", get_shadow_ctxt)].
  (** What the call answers, once the context may be touched. *)
  Lemma host_data_call hsr m (s : St) : in_range U32 hsr = true -> host_ctxt s = Some m ->
    host_get_mmio_data_spec [hsr] s = Some (Ok (host_word (dabt_rd hsr) m) s).
  Proof.
    intros R E. unfold host_get_mmio_data_spec, p1. rewrite R, E. cbn [chk].
    assert (B : in_range U64 (host_word (dabt_rd hsr) m) = true).
    { apply in_range_iff. unfold host_word, numbered. destruct (dabt_rd hsr =? 31); [cbn; lia|].
      destruct (reg_of_code _); [apply (wrap_range U64) | cbn; lia]. }
    now rewrite B.
  Qed.
End MmioRaw.

(** * Entries *)

(** The frame is that of the address, whatever [prot] is, and the entry is a page. *)
Theorem smmu_pte_frame prot a : phys (smmu_pte prot a) = phys a.
Proof.
  unfold smmu_pte, phys. rewrite !Z.land_lor_distr_l, <- !Z.land_assoc.
  change (Z.land 281474976706560 281474976706560) with 281474976706560.
  change (Z.land SMMU_PTE_PROT 281474976706560) with 0. change (Z.land SMMU_PTE_FIXED 281474976706560) with 0.
  now rewrite !Z.land_0_r, !Z.lor_0_r.
Qed.

Theorem smmu_pte_page prot a : Z.land (smmu_pte prot a) 3 = 3.
Proof.
  unfold smmu_pte, phys. rewrite !Z.land_lor_distr_l, <- !Z.land_assoc.
  change (Z.land 281474976706560 3) with 0. change (Z.land SMMU_PTE_PROT 3) with 0.
  now rewrite !Z.land_0_r.
Qed.

(** What the host asks for beyond its bits does not get in. *)
Theorem smmu_pte_prot prot a : smmu_pte prot a = smmu_pte (Z.land prot SMMU_PTE_PROT) a.
Proof. unfold smmu_pte. now rewrite <- Z.land_assoc, Z.land_diag. Qed.
