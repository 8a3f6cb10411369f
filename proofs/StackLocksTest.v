(* SPDX-License-Identifier: Apache-2.0 *)
(** The lock order, by examples: the deepest chains of the real program, code that the checker refuses and the
    disorder in its runs, and two CPUs that take two locks in opposite orders and stand still for ever.  Rests on
    [StackLocks]. *)
From SeKVM.lib Require Import Calls SmpCode.
From SeKVM.machine Require Import Init BottomVm Objects LockOrder.
From SeKVM.layers.Locks Require Import Spec Smp Deadlock.
From SeKVM.layers Require PTAlloc.Code.
From SeKVM Require Import StackLocks.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The real program *)

(** One SMMU with eight banks, and frames from 0x40000 on. *)
Definition machine : state :=
  init (mkworld 0 (mkboot [mkmemblock 0x40000000 0x8000 1 0] [mksmmu 0x9010000 65536 0 8 12]) ∅
          [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) [] (list_to_map [(src_kvm 1, [77])])).

(** Numbers of locks, with a minus where they are given back. *)
Definition shown (a : lock_action lock_class) : option Z :=
  match a with Acquire l => number l | Release l => option_map Z.opp (number l) end.
Definition run_log (cs : list (ident * list Z)) : list Z * ended * (list (option Z) * option nat) :=
  observe (by_code locking_program (LockLog.with_log lock_calls Locks.Spec.L))
    (fun s => (map shown (snd s), option_map (@length _) (after [] (snd s)))) cs (machine, []).

(** A VM is registered and gets a context bank; a frame is assigned to its devices and mapped for them: SMMU (4), VM
    1 (23), frames (2), and inside the host's table (5) or the SMMU tables (3).  All is given back. *)
Example deepest :
  run_log [("register_kvm", []); ("el2_alloc_smmu_pgd", [0; 1; 0]); ("smmu_assign_page", [0; 0; 0x40001; 5]);
           ("smmu_map_page", [0; 0; 0x5000; 0x40001747])]
  = ([1; 0; 0; 0], Finished,
     (map Some [1; -1; 23; -23; 4; 23; 3; -3; -23; -4; 4; 23; 2; 5; -5; -2; -23; -4; 4; 23; 2; 3; -3; -2; -23; -4],
      Some 0%nat)).
Proof. vm_compute. reflexivity. Qed.

(** A panic stops the machine with the locks held that were: a frame that is not the VM's. *)
Example panic_inside :
  run_log [("register_kvm", []); ("el2_alloc_smmu_pgd", [0; 1; 0]); ("smmu_map_page", [0; 0; 0x5000; 0x40001747])]
  = ([1; 0], Panicked, (map Some [1; -1; 23; -23; 4; 23; 3; -3; -23; -4; 4; 23; 2], Some 3%nat)).
Proof. vm_compute. reflexivity. Qed.

(** * Code that is refused *)

Definition seq (ss : list stmt) : stmt := fold_right Sseq Sskip ss.
Definition acts (f : ident) (l : list expr) : stmt := Scall None f l.
Definition void (ps : list (ident * ty)) (b : stmt) : func := mkfunc None ps [] b.

(** The record of a VM while frames are held: the wrong way round. *)
Definition wrong_way : module :=
  [("wrong_way", void [("vmid", U32)]
     (seq [acts "acquire_lock_s2page" []; acts "acquire_lock_vm" [Evar "vmid"];
           acts "release_lock_vm" [Evar "vmid"]; acts "release_lock_s2page" []]))].
(** Two tables at once. *)
Definition two_tables : module :=
  [("two_tables", void [("a", U32); ("b", U32)]
     (seq [acts "acquire_lock_pt" [Evar "a"]; acts "acquire_lock_pt" [Evar "b"];
           acts "release_lock_pt" [Evar "b"]; acts "release_lock_pt" [Evar "a"]]))].
(** A path that keeps the lock. *)
Definition leaky : module :=
  [("leaky", void [("x", U32)]
     (seq [acts "acquire_lock_core" []; Sif (Ecmp Ceq (Evar "x") (Econst 0)) (Sreturn None) Sskip;
           acts "release_lock_core" []]))].
(** Gives back the lock of another VM, because the number has changed. *)
Definition renamed : module :=
  [("renamed", void [("vmid", U32)]
     (seq [acts "acquire_lock_vm" [Evar "vmid"]; Sset "vmid" (Ebin Oadd U32 (Evar "vmid") (Econst 1));
           acts "release_lock_vm" [Evar "vmid"]]))].
(** The disorder is in a callee. *)
Definition nested_wrong : module :=
  [("inner", void [] (seq [acts "acquire_lock_smmu" []; acts "release_lock_smmu" []]));
   ("outer", void [] (seq [acts "acquire_lock_core" []; acts "inner" []; acts "release_lock_core" []]))].

Example refused : existsb ordered [wrong_way; two_tables; leaky; renamed; nested_wrong] = false.
Proof. vm_compute. reflexivity. Qed.

(** ... and each of them has a run that is out of order, or keeps a lock, over primitives that only return. *)
Definition stubs : tbl unit := map (fun p => (fst p, fun _ s => ret 0 s)) lock_calls.
Definition stub_log (P : module) (f : ident) (vs : list Z) : option (option (list (lock lock_class))) :=
  match by_code P (LockLog.with_log lock_calls stubs) f vs (tt, []) with
  | Some (Ok _ s) => Some (after [] (snd s))
  | _ => None
  end.
Example disorder :
  stub_log wrong_way "wrong_way" [1] = Some None /\ stub_log two_tables "two_tables" [1; 2] = Some None /\
  stub_log leaky "leaky" [0] = Some (Some [(CORE, [])]) /\ stub_log leaky "leaky" [1] = Some (Some []) /\
  stub_log renamed "renamed" [1] = Some None /\ stub_log nested_wrong "outer" [] = Some None.
Proof. vm_compute. repeat split. Qed.

(** * Deadlock without an order *)

(** CPU 0 takes VM 1 and then the frames, CPU 1 the frames and then VM 1. *)
Definition opposed : module :=
  [("right_way", void [] (Sseq (acts "acquire_lock_vm" [Econst 1]) (acts "acquire_lock_s2page" [])));
   ("other_way", void [] (Sseq (acts "acquire_lock_s2page" []) (acts "acquire_lock_vm" [Econst 1])))].
Definition at_start : @glob objval private :=
  mkglob {[ lock_s2page := VS2 ∅; lock_vm 1 := VVm vminfo0 ]} ∅ (fun _ => []) (fun _ => priv machine) false.
Definition first_two : list (Z * label) :=
  [(0, ("acquire_lock_vm", [1], Some 0)); (1, ("acquire_lock_s2page", [], Some 0))].
Definition wanted (c : Z) : option (ident * list Z) :=
  if c =? 0 then Some ("acquire_lock_s2page", []) else if c =? 1 then Some ("acquire_lock_vm", [1]) else None.

Lemma stands_still f g ws a us :
  Lang.assoc f opposed = Some (void [] (Sseq (acts a (map Econst us)) (acts g (map Econst ws)))) ->
  Lang.assoc a opposed = None -> Lang.assoc g opposed = None -> client [(f, [])] ->
  stands opposed [(a, us, Some 0)] (Some (g, ws)).
Proof.
  intros F A G Cl.
  assert (V : forall l, evals (map Econst l) [] = Some l).
  { induction l as [|x l IH]; cbn; [|rewrite IH]; reflexivity. }
  apply (inside _ _ [(f, [])]); [exact Cl|]. apply runs_halt. exists 1%nat.
  change (sem opposed (flatn opposed (Lask g ws) 0) f [] [(a, us, Some 0)] (Halt [])). unfold sem. rewrite F.
  exists [], (Halted []). split; [reflexivity|]. split; [|reflexivity]. cbn [fn_body void].
  eapply ex_seq; [|eapply ex_call_halt].
  - eapply (ex_call _ None a _ us 0 [] [(a, us, Some 0)] []); [apply V|]. split; [exact A|]. cbn. auto.
  - cbn. apply V.
  - split; [exact G|]. cbn. auto.
Qed.

(** The premises of [no_deadlock] hold but for the order, and its conclusion does not: whoever is in the middle
    waits. *)
Example deadlock : ordered opposed = false /\ (forall k, g_own at_start !! k = None) /\
  exists g, grun opof first_two at_start g /\ (forall c, stands opposed (proj c first_two) (wanted c)) /\
    forall c call, wanted c = Some call -> waits g call.
Proof.
  split; [vm_compute; reflexivity|]. split; [intros k; apply lookup_empty|].
  eexists. split; [|split].
  - eapply (grun_cons _ 0 "acquire_lock_vm" [1] (Some 0) (Acq (lock_vm 1))); [reflexivity | |].
    { apply (g_acq 0 (lock_vm 1) (VVm vminfo0)); [reflexivity | apply lookup_empty]. }
    eapply (grun_cons _ 1 "acquire_lock_s2page" [] (Some 0) (Acq lock_s2page)); [reflexivity | | constructor].
    apply (g_acq 1 lock_s2page (VS2 ∅)); reflexivity.
  - intros c. unfold wanted, first_two. cbn [proj]. destruct (Z.eqb_spec c 0) as [->|N0].
    + cbn [proj Z.eqb]. apply (stands_still "right_way"); try reflexivity. repeat constructor.
    + destruct (Z.eqb_spec c 1) as [->|N1].
      * cbn. apply (stands_still "other_way"); try reflexivity. repeat constructor.
      * rewrite (proj2 (Z.eqb_neq 0 c)), (proj2 (Z.eqb_neq 1 c)) by congruence.
        apply (between _ _ [] 0); constructor.
  - intros c call. unfold wanted. destruct (Z.eqb_spec c 0) as [->|N0]; [intros [= <-]|].
    + exists lock_s2page, 1. split; reflexivity.
    + destruct (Z.eqb_spec c 1) as [->|N1]; intros [= <-]. exists (lock_vm 1), 0. split; reflexivity.
Qed.

(** * Waiting without deadlock *)

(** A table for [Lask]: calls of the functions [fs]. *)
Definition asking (g : ident) (ws : list Z) (fs : list ident) : tbl (list label) :=
  map (fun f => (f, fun vs tr =>
    match tr with
    | (h, us, Some v) :: tr' => if String.eqb h f && bool_decide (us = vs) then ret v tr' else None
    | (_, _, None) :: _ => None
    | [] => if String.eqb f g && bool_decide (vs = ws) then Some (Halt []) else None
    end)) fs.

Lemma asking_ask g ws fs : refines req (graph (asking g ws fs)) (Lask g ws).
Proof.
  intros f vs s tr r E. cbn in E. subst tr. unfold graph, call, asking. intros X.
  exists r. split; [|apply res_rel_req].
  induction fs as [|h fs IH]; cbn in X; [discriminate|]. destruct (String.eqb_spec f h) as [<-|N]; [|exact (IH X)].
  destruct s as [|[[k us] [v|]] tr]; cbn; [| |discriminate].
  - destruct (String.eqb_spec f g) as [->|]; [|discriminate]. destruct (decide (vs = ws)) as [->|N].
    + rewrite bool_decide_eq_true_2 in X by reflexivity. now injection X as <-.
    + rewrite bool_decide_eq_false_2 in X by exact N. discriminate.
  - destruct (String.eqb_spec k f) as [->|]; [|discriminate]. destruct (decide (us = vs)) as [->|N].
    + rewrite bool_decide_eq_true_2 in X by reflexivity. now injection X as <-.
    + rewrite bool_decide_eq_false_2 in X by exact N. discriminate.
Qed.

Lemma stands_in f vs tr g ws : client [(f, vs)] ->
  by_code locking_program (asking g ws ["acquire_lock_core"; "get_next_vmid"]) f vs tr = Some (Halt []) ->
  stands locking_program tr (Some (g, ws)).
Proof.
  intros Cl X. apply (inside _ _ [(f, vs)]); [exact Cl|]. apply runs_halt. apply by_code_sound in X.
  pose proof (flat_mono req locking_program _ _ (asking_ask g ws ["acquire_lock_core"; "get_next_vmid"])) as F.
  destruct (F f vs tr tr _ eq_refl X) as ([v s|s] & Y & G); cbn in G.
  - destruct G.
  - now subst s.
Qed.

(** CPU 0 is about to read the next number of a VM, CPU 1 waits for the counters: the premises of
    [program_no_deadlock] hold, and CPU 0 is the one that goes on. *)
Definition free_core : @glob objval private :=
  mkglob {[ lock_core := VCore core0 ]} ∅ (fun _ => []) (fun _ => priv machine) false.
Definition first_one : list (Z * label) := [(0, ("acquire_lock_core", [], Some 0))].
Definition asked (c : Z) : option (ident * list Z) :=
  if c =? 0 then Some ("get_next_vmid", []) else if c =? 1 then Some ("acquire_lock_core", []) else None.

Example one_waits : (forall k, g_own free_core !! k = None) /\
  exists g, grun opof first_one free_core g /\ (forall c, stands locking_program (proj c first_one) (asked c)) /\
    waits g ("acquire_lock_core", []) /\ ~ waits g ("get_next_vmid", []).
Proof.
  split; [intros k; apply lookup_empty|]. eexists. split; [|split; [|split]].
  - eapply (grun_cons _ 0 "acquire_lock_core" [] (Some 0) (Acq lock_core)); [reflexivity | | constructor].
    apply (g_acq 0 lock_core (VCore core0)); [reflexivity | apply lookup_empty].
  - intros c. unfold asked, first_one. cbn [proj]. destruct (Z.eqb_spec c 0) as [->|N0].
    + cbn [proj Z.eqb]. apply (stands_in "gen_vmid" []); [repeat constructor | vm_compute; reflexivity].
    + rewrite (proj2 (Z.eqb_neq 0 c)) by congruence. destruct (Z.eqb_spec c 1) as [->|N1].
      * apply (stands_in "register_kvm" []); [repeat constructor | vm_compute; reflexivity].
      * apply (between _ _ [] 0); constructor.
  - exists lock_core, 0. split; reflexivity.
  - intros (k & d & O & _). discriminate.
Qed.
