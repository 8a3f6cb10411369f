(* SPDX-License-Identifier: Apache-2.0 *)
(** Bottom primitives for the SMMUs: what the firmware says of them (read-only, no
    lock), the owner of each context bank (only while the SMMU lock is held), device
    registers, and the decoding of an access of the host that trapped.  One accessor
    each and no policy: this file is part of what a reader must trust.  Rests on
    [State]; C prototypes in [layers/prims.h]. *)
From SeKVM.machine Require Export BottomPages.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** ** Context banks *)

(** The machine has room for two SMMUs of eight context banks; banks have one
    numbering. *)
Definition bank_exists (cbndx index : Z) : bool := (index <? 2) && (cbndx <? 8).
Definition bank_number (cbndx index : Z) : Z := 8 * index + cbndx.

(** An absent bank belongs to nobody. *)
Definition bank_owner (m : gmap Z Z) (b : Z) : Z := default INVALID (m !! b).

(** ** Fields of the syndrome of a trapped data access *)

(** The general register that it moves; 31 is the zero register. *)
Definition dabt_rd (hsr : Z) : Z := Z.land (Z.shiftr hsr 16) 31.
(** How many bytes. *)
Definition dabt_bytes (hsr : Z) : Z := Z.shiftl 1 (Z.land (Z.shiftr hsr 22) 3).
(** 1 for a store, 0 for a load. *)
Definition dabt_store (hsr : Z) : Z := Z.land (Z.shiftr hsr 6) 1.

(** ** External inputs *)

(** What devices answer, in the order of the loads. *)
Definition src_mmio : Z := 900.

Section Mmio.
  Context {F : Type -> Type} {N M P : Type}.
  Notation St := (St F N M P).

  Definition get_smmu_num : prim St :=
    p0 (Some U32) (fun s => ret (Z.of_nat (length (boot_smmus (st_boot s)))) s).

  Definition smmu_get (t : ty) (f : smmu_dev -> Z) : prim St :=
    p1 (Some t) U32 (fun i s => some d := boot_smmus (st_boot s) !! Z.to_nat i; ret (f d) s).

  (** The next word from device registers. *)
  Definition device_word (s : St) : Z := hd 0 (default [] (st_ins s !! src_mmio)).
  Definition device_taken (s : St) : St :=
    set_ins (<[src_mmio := tl (default [] (st_ins s !! src_mmio))]> (st_ins s)) s.

  Definition device_read (t : ty) : prim St :=
    p1 (Some t) U64 (fun a s => ret (wrap t (device_word s)) (device_taken s)).
  Definition device_write (t : ty) (bytes : Z) : prim St :=
    p2 None t U64 (fun v a s => ret 0 (set_outs (Mmio_write a bytes v :: st_outs s) s)).

  Definition host_dabt_get_rd : prim St := p1 (Some U32) U32 (fun hsr s => ret (dabt_rd hsr) s).
  Definition host_dabt_get_as : prim St := p1 (Some U32) U32 (fun hsr s => ret (dabt_bytes hsr) s).
  Definition host_dabt_is_write : prim St := p1 (Some U32) U32 (fun hsr s => ret (dabt_store hsr) s).

  (** The address of the access: [a] has its page, the CPU knows the place in it. *)
  Definition fault_ipa (a : Z) (s : St) : Z := Z.lor a (Z.land (reg_get FAR_EL2 (cpu_regs (st_cpu s))) 4095).
  Definition host_get_fault_ipa : prim St := p1 (Some U64) U64 (fun a s => ret (fault_ipa a s) s).

  Definition T_smmu_conf : tbl St :=
    [("get_smmu_num", get_smmu_num); ("get_smmu_base", smmu_get U64 smmu_base);
     ("get_smmu_size", smmu_get U64 smmu_size); ("get_smmu_num_context_banks", smmu_get U32 smmu_banks)].

  Definition T_device : tbl St :=
    [("readl_relaxed", device_read U32); ("readq_relaxed", device_read U64);
     ("writel_relaxed", device_write U32 4); ("writeq_relaxed", device_write U64 8)].

  Definition T_dabt : tbl St :=
    [("host_dabt_get_rd", host_dabt_get_rd); ("host_dabt_get_as", host_dabt_get_as);
     ("host_dabt_is_write", host_dabt_is_write); ("host_get_fault_ipa", host_get_fault_ipa)].
End Mmio.

Section Owners.
  Context {F : Type -> Type} {V : View F} {N M P : Type}.
  Notation St := (St F N M P).

  Definition get_smmu_cfg_vmid : prim St :=
    p2 (Some U32) U32 U32 (fun cbndx index s =>
      rely own (st_smmu s);
      rely bank_exists cbndx index;
      ret (bank_owner (value (st_smmu s)) (bank_number cbndx index)) s).

  Definition set_smmu_cfg_vmid : prim St :=
    p3 None U32 U32 U32 (fun cbndx index vmid s =>
      rely own (st_smmu s);
      rely bank_exists cbndx index;
      ret 0 (set_smmu (store (<[bank_number cbndx index := vmid]> (value (st_smmu s))) (st_smmu s)) s)).

  Definition T_smmu_owner : tbl St :=
    [("get_smmu_cfg_vmid", get_smmu_cfg_vmid); ("set_smmu_cfg_vmid", set_smmu_cfg_vmid)].

  (** All of this file. *)
  Definition T_mmio : tbl St := (T_smmu_conf ++ T_smmu_owner ++ T_device ++ T_dabt)%list.
End Owners.
