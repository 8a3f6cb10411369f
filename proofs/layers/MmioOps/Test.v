(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: examples by computation.  The specification, the code over what it
    uses, and the code of layers 22 to 26 agree with written values: the life of a context
    bank, attacks on SMMUs that are refused.  VMs are reduced to what this layer sees of
    them: VM 3 is on, VM 4 is off, VM 5 is verified. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init RelTac.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MmioRaw Require Code.
From SeKVM.layers.MmioCoreAux Require Code.
From SeKVM.layers.MmioCore Require Code.
From SeKVM.layers.MmioOpsAux Require Code Test.
From SeKVM.layers.MmioOps Require Import Code Spec ProofAccess Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Notation tstate := (St cell pmap pmap (gmap Z s2page)).

(** Small primitives on VMs. *)
Definition poweron : prim tstate := p1 (Some U32) U32 (fun v s => ret (if v =? 4 then 0 else 1) s).
Definition unless_verified (v : Z) (o : option (res tstate)) (s : tstate) : option (res tstate) :=
  if v =? 5 then Some (Halt s) else o.
Definition alloc : prim tstate := p3 None U32 U32 U32 (fun v cb ix s => unless_verified v (init_spt_spec [cb; ix] s) s).
Definition assign : prim tstate := p3 None U32 U64 U64 (fun v _ _ s => unless_verified v (ret 0 s) s).
Definition map_page : prim tstate := fun vs s =>
  match vs with
  | [v; cb; ix; a; e] => unless_verified v (map_spt_spec [cb; ix; a; e] s) s
  | _ => None
  end.
Definition unmap_page : prim tstate := p4 None U32 U32 U32 U64 (fun v cb ix a s =>
  unless_verified v (match unmap_spt_spec [cb; ix; a] s with Some (Ok _ s) => ret 0 s | r => r end) s).

(** They meet the conditions of the layer's theorem. *)
Lemma poweron_natural : natural st_smmu set_smmu poweron poweron.
Proof. unfold poweron. natural_tac. Qed.
Lemma assign_natural : natural st_smmu set_smmu assign assign.
Proof. unfold assign, unless_verified. natural_tac. Qed.

Notation T := (T poweron alloc assign map_page unmap_page).
Notation U := (U poweron alloc assign map_page unmap_page).

(** Two SMMUs, at the start of the machine; CPU 2 runs the host, whose registers hold words. *)
Definition words : list Z := [0x200400; 3; 0; 0x20003; 0x112345678].
Definition start : tstate :=
  set_cpu (mkcpu 2 HOSTVISOR 2 {[ ELR_EL2 := 0x80010 ]})
    (set_boot (mkboot [] MmioOpsAux.Test.smmus)
      (set_ctxts {[ 2 := free_cell (list_to_map (zip [X0; X1; X2; X3; X4] words)) [] ]}
        (init_all_maps (fun _ => []) [] (quiet 2)))).
(** The host traps at a place of its choice. *)
Definition at_place (far : Z) (s : tstate) : tstate := set_cpu (mkcpu 2 HOSTVISOR 2 {[ ELR_EL2 := 0x80010; FAR_EL2 := far ]}) s.

Definition below : tbl tstate := (MmioRaw.Spec.U ++ MmioCoreAux.Spec.U ++ MmioCore.Spec.U ++ MmioOpsAux.Spec.U ++ U)%list.
Definition by_spec : stepper tstate := call T.
Definition by_c : stepper tstate := by_code code U.
Definition by_stack : stepper tstate :=
  by_code (code ++ MmioOpsAux.Code.code ++ MmioCore.Code.code ++ MmioCoreAux.Code.code ++ MmioRaw.Code.code)%list below.

(** Observed: stores to devices, newest first; where the host goes on; the owner of bank 1 of
    SMMU 0, and whether the owners are locked. *)
Definition stores (s : tstate) : list out_event :=
  List.filter (fun e => match e with Mmio_write _ _ _ => true | _ => false end) (st_outs s).
Definition obs (s : tstate) : list out_event * Z * Z * bool :=
  (stores s, reg_get ELR_EL2 (cpu_regs (st_cpu s)), bank_owner (c_val (st_smmu s)) 1, c_held (st_smmu s)).
Definition agree_at (far : Z) (cs : list (ident * list Z)) (v : list Z * ended * (list out_event * Z * Z * bool)) : Prop :=
  observe by_spec obs cs (at_place far start) = v /\ observe by_c obs cs (at_place far start) = v /\
  observe by_stack obs cs (at_place far start) = v.
Definition agree := agree_at 0.

(** The invariant holds of this state. *)
Example start_ok : owners_inv start /\ smmus_ok (boot_smmus (st_boot start)) = true.
Proof. split; [split; [apply owners_ok_init | constructor] | reflexivity]. Qed.

(** The conditions of the theorem about outputs hold of the small primitives, so it speaks of
    every run from this state. *)
Lemma unless_verified_calm v o (s : tstate) : res_all (added no_store s) o -> res_all (added no_store s) (unless_verified v o s).
Proof. intros O. unfold unless_verified. destruct (v =? 5); [now apply added_same | exact O]. Qed.
Lemma flush_calm cb ix a v o c (s : tstate) : res_all (added no_store s) (publish_spt_update cb ix a v o c s).
Proof.
  unfold publish_spt_update, publish_spt. destruct o; [|now apply added_same | now apply added_same].
  split; [reflexivity|]. eexists [_]. split; [reflexivity | now constructor].
Qed.
Lemma map_spt_calm : @calm pmap (gmap Z s2page) map_spt_spec.
Proof.
  intros vs s. unfold map_spt_spec, p4. destruct vs as [|cb [|ix [|a [|e [|]]]]]; try exact I.
  destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
  destruct (in_range U64 a); [|exact I]. destruct (in_range U64 e); [|exact I]. apply res_all_chk.
  destruct (negb _); [now apply added_same|]. destruct (negb _); [apply flush_calm | exact I].
Qed.
Lemma unmap_spt_calm : @calm pmap (gmap Z s2page) unmap_spt_spec.
Proof.
  intros vs s. unfold unmap_spt_spec, p3. destruct vs as [|cb [|ix [|a [|]]]]; try exact I.
  destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I]. destruct (in_range U64 a); [|exact I].
  apply res_all_chk. destruct (negb _); [now apply added_same|]. destruct (_ <=? a); [now apply added_same|].
  destruct (negb _); [|exact I]. cbv zeta. destruct (in_range U64 _); [|exact I].
  destruct (_ =? 0); [now apply added_same | apply flush_calm].
Qed.
Example all_runs cs r : run_calls by_spec cs start = Some r -> added (store_allowed MmioOpsAux.Test.smmus) start (final r).
Proof.
  apply run_outputs.
  - intros vs s. unfold poweron, p1. destruct vs as [|v [|]]; try exact I. destruct (in_range U32 v); [|exact I].
    apply res_all_chk. now apply added_same.
  - intros vs s. unfold alloc, p3. destruct vs as [|v [|cb [|ix [|]]]]; try exact I.
    destruct (in_range U32 v); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    apply res_all_chk, unless_verified_calm, init_spt_calm.
  - intros vs s. unfold assign, p3. destruct vs as [|v [|pfn [|g [|]]]]; try exact I.
    destruct (in_range U32 v); [|exact I]. destruct (in_range U64 pfn); [|exact I]. destruct (in_range U64 g); [|exact I].
    apply res_all_chk, unless_verified_calm. now apply added_same.
  - intros vs s. unfold map_page. destruct vs as [|v [|cb [|ix [|a [|e [|]]]]]]; try exact I.
    apply unless_verified_calm, map_spt_calm.
  - intros vs s. unfold unmap_page, p4. destruct vs as [|v [|cb [|ix [|a [|]]]]]; try exact I.
    destruct (in_range U32 v); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    destruct (in_range U64 a); [|exact I]. apply res_all_chk, unless_verified_calm.
    pose proof (unmap_spt_calm [cb; ix; a] s) as X. destruct (unmap_spt_spec _ s) as [[w t|t]|]; exact X.
Qed.

(** A bank goes to VM 4: pages are mapped for its devices and found, in this bank only; the
    bank is busy for VM 3; it becomes free, empty. *)
Example life :
  agree
    [("el2_alloc_smmu_pgd", [1; 4; 0]); ("smmu_assign_page", [1; 0; 0x40001; 7]); ("smmu_map_page", [1; 0; 0x7000; 0x40001703]);
     ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0]); ("el2_arm_lpae_iova_to_phys", [0x7123; 2; 0]);
     ("el2_alloc_smmu_pgd", [1; 3; 0]); ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0]); ("el2_free_smmu_pgd", [1; 0]);
     ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0])]
    ([0; 0; 0; 0x40001123; 0x123; 0; 0x40001123; 0; 0x123], Finished, ([], 0x80010, INVALID, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

Example unmapped :
  agree
    [("el2_alloc_smmu_pgd", [1; 3; 0]); ("smmu_map_page", [1; 0; 0x7000; 0x40001703]); ("el2_arm_lpae_clear", [0x7000; 1; 0]);
     ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0])]
    ([0; 0; 0; 0x123], Finished, ([], 0x80010, 3, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Who has a bank; the host has none here, and a free bank is nobody's. *)
Example has_bank_asked :
  agree [("vm_has_bank", [4]); ("el2_alloc_smmu_pgd", [7; 4; 1]); ("vm_has_bank", [4]); ("vm_has_bank", [3]); ("vm_has_bank", [0]);
         ("el2_free_smmu_pgd", [7; 1]); ("vm_has_bank", [4])]
    ([0; 0; 1; 0; 0; 0; 0], Finished, ([], 0x80010, INVALID, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** On a free bank nothing happens. *)
Example free_bank :
  agree
    [("smmu_map_page", [1; 0; 0x7000; 0x40001703]); ("el2_arm_lpae_clear", [0x7000; 1; 0]);
     ("smmu_assign_page", [1; 0; 0x40001; 7]); ("el2_free_smmu_pgd", [1; 0]); ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0])]
    ([0; 0; 0; 0; 0x123], Finished, ([], 0x80010, INVALID, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The last bank of the last SMMU. *)
Example last_bank :
  agree [("el2_alloc_smmu_pgd", [7; 3; 1]); ("smmu_map_page", [7; 1; 0xfffffff000; 0x40001703]);
         ("el2_arm_lpae_iova_to_phys", [0xffffffffff; 7; 1])]
    ([0; 0; 0x40001fff], Finished, ([], 0x80010, INVALID, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Refused: banks, VMs and addresses that do not exist; a bank of a VM that is on; a
    verified VM's bank. *)
Definition refused (held : bool) (c : ident * list Z) : Prop :=
  agree [("el2_alloc_smmu_pgd", [1; 3; 0]); c] ([0], Panicked, ([], 0x80010, 3, held)).
Example nothing_there :
  Forall (refused false)
    [("el2_alloc_smmu_pgd", [8; 3; 0]); ("el2_alloc_smmu_pgd", [0; 3; 2]); ("el2_alloc_smmu_pgd", [0; 16; 0]);
     ("el2_free_smmu_pgd", [8; 0]); ("el2_free_smmu_pgd", [0; 2]); ("smmu_assign_page", [0; 2; 0x40001; 7]);
     ("smmu_map_page", [8; 0; 0x7000; 0x40001703]); ("smmu_map_page", [1; 0; 2 ^ 40; 0x40001703]);
     ("el2_arm_lpae_clear", [2 ^ 40; 1; 0]); ("el2_arm_lpae_clear", [0; 8; 0]); ("el2_arm_lpae_iova_to_phys", [2 ^ 40; 1; 0]);
     ("el2_arm_lpae_iova_to_phys", [0; 0; 2])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
Example running : Forall (refused true) [("el2_free_smmu_pgd", [1; 0]); ("el2_alloc_smmu_pgd", [2; 5; 0])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

Notation store4 := MmioOpsAux.Test.store4.
Notation store8 := MmioOpsAux.Test.store8.

(** The host drives the SMMU: each store is done and the host goes on after it; an address
    that is in no SMMU is left to others. *)
Example driver :
  agree [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10000000; store4 0]); ("emulate_mmio", [0xffff000; store4 0]);
         ("emulate_mmio", [0x10020000; store4 0])]
    ([0; 0; INVALID; INVALID], Finished, ([Mmio_write 0x10000000 4 0x200400], 0x80014, 3, false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The attributes of VM 3's bank are set to VM 3; its table base is KCore's. *)
Example attributes_and_base :
  agree_at 4 [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10001000; store4 1])]
    ([0; 0], Finished, ([Mmio_write 0x10001004 4 3], 0x80014, 3, false)) /\
  agree_at 0x20 [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10009000; store8 4])]
    ([0; 0], Finished, ([Mmio_write 0x10009020 8 0x12000], 0x80014, 3, false)).
Proof. split; (split; [|split]); vm_compute; reflexivity. Qed.

(** Refused: attributes of a free bank or of another kind of translation, and bypass. *)
Example attacks :
  agree_at 0 [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10001000; store4 1])]
    ([0], Panicked, ([], 0x80010, 3, true)) /\
  agree_at 4 [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10001000; store4 3])]
    ([0], Panicked, ([], 0x80010, 3, true)) /\
  agree_at 0 [("el2_alloc_smmu_pgd", [1; 3; 0]); ("emulate_mmio", [0x10000000; store4 2])]
    ([0], Panicked, ([], 0x80010, 3, true)).
Proof. split; [|split]; (split; [|split]); vm_compute; reflexivity. Qed.

(** Why a bank is emptied when it becomes free: else its devices would still reach the frames
    of a VM that is off, which go to others. *)
Example tables_without_emptying :
  observe (call (T ++ U)%list) (fun _ => tt)
    [("el2_alloc_smmu_pgd", [1; 4; 0]); ("smmu_map_page", [1; 0; 0x7000; 0x40001703]); ("acquire_lock_smmu", []);
     ("set_smmu_cfg_vmid", [1; 0; INVALID]); ("release_lock_smmu", []); ("walk_spt", [1; 0; 0x7000])] start
    = ([0; 0; 0; 0; 0; 0x40001703], Finished, tt).
Proof. vm_compute. reflexivity. Qed.

(** The owners and their lock are hidden above this layer. *)
Example hidden_names :
  Forall (fun f => call (over T (hide hidden U)) f [0; 0] start = None)
    ["get_smmu_cfg_vmid"; "set_smmu_cfg_vmid"; "acquire_lock_smmu"; "handle_host_mmio"; "init_spt"; "map_smmu"].
Proof. repeat constructor. Qed.
