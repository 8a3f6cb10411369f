(* SPDX-License-Identifier: Apache-2.0 *)
(** The theorems of this part on concrete states: a state in which a VM has a private and a shared frame meets all
    premises; accesses and operations on it have written results; and without isolation, or with frame 0 tracked, the
    conclusions fail. Rests on [Isolation] and on runs of layer 16's interface. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.top Require Import Isolation Events.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Premises by computation *)

Definition last_batchb (s : hstate) : bool :=
  let none {A} (l : list A) := match l with [] => true | _ => false end in
  none (tl (c_script (st_s2 s))) && none (tl (c_script (st_spt s))) && none (tl (m_script (st_mem s))) &&
  forallb (fun x => none (tl (c_script (snd x)))) (map_to_list (st_npts s)).

Lemma last_batchb_ok s : last_batchb s = true -> last_batch s.
Proof.
  unfold last_batchb. rewrite !andb_true_iff. intros [[[A B] C] D].
  split; [now destruct (tl (c_script (st_s2 s)))|]. split; [now destruct (tl (c_script (st_spt s)))|].
  split; [now destruct (tl (m_script (st_mem s)))|]. intros p c E.
  assert (I : In (p, c) (map_to_list (st_npts s))) by now apply elem_of_list_In, elem_of_map_to_list.
  apply (proj1 (forallb_forall _ _) D) in I. cbn in I. now destruct (tl (c_script c)).
Qed.

Definition host_tableb (s : hstate) : bool :=
  let m := frames_now s in
  match m !! 0 with None => true | _ => false end &&
  forallb (fun x => let '(g, (l, e)) := x in
    (l =? 3)%nat &&
    match m !! entry_frame e with None => true | _ => (entry_frame e =? g) && may_touch 0 (m !! g) end)
    (map_to_list (table_now 0 s)).

Lemma host_tableb_ok s : host_tableb s = true -> host_table_ok s.
Proof.
  unfold host_tableb. rewrite andb_true_iff. intros [A B]. split; [now destruct (frames_now s !! 0)|]. intros g l e E.
  assert (I : In (g, (l, e)) (map_to_list (table_now 0 s))) by now apply elem_of_list_In, elem_of_map_to_list.
  apply (proj1 (forallb_forall _ _) B) in I. cbn beta iota in I. apply andb_true_iff in I as [I J].
  apply Nat.eqb_eq in I.
  split; [exact I|]. destruct (frames_now s !! entry_frame e); [right|now left].
  apply andb_true_iff in J as [J K]. apply Z.eqb_eq in J. auto.
Qed.

(** * A state *)

(** Frames 0x40000 to 0x40003 are the host's, 0x40004 is KCore's; frames 1 to 3 of these hold a word each. *)
Definition start : hstate :=
  set_s2 (free_cell (list_to_map [(0x40000, Host 0); (0x40001, Host 0); (0x40002, Host 0); (0x40003, Host 0);
    (0x40004, Core)]) [])
    (set_mem (mkmem {[ 0x40001008 := 99; 0x40002008 := 5; 0x40003008 := 7 ]} [] [])
      (init_all_maps (fun _ => []) [] (quiet 0))).

Definition step (cs : list (ident * list Z)) (s : hstate) : option (res hstate) :=
  run_calls (call MemManager.Interface.L) cs s.
Definition after_calls (cs : list (ident * list Z)) (s : hstate) : hstate :=
  match step cs s with Some (Ok _ t) | Some (Halt t) => t | None => s end.

(** VM 3 gets 0x40001 as its page 7 and 0x40003 as its page 8, maps both, and shares the second; the host maps that
    one and 0x40002, which is its own, and has its word in X1. *)
Definition life : list (ident * list Z) :=
  [("map_page_host", [0x40001000]); ("map_page_host", [0x40002000]);
   ("assign_pfn_to_vm", [3; 7; 0x40001]); ("map_pfn_vm", [3; 0x7000; 0x40001000; 3]);
   ("assign_pfn_to_vm", [3; 8; 0x40003]); ("map_pfn_vm", [3; 0x8000; 0x40003000; 3]); ("grant_vm_page", [3; 0x40003]);
   ("map_page_host", [0x40003000]); ("mem_load_ref", [0; 0x40002008; 1])].
Definition running : hstate := after_calls life start.

(** Observed: words of VM 3's view and of the host's, private ones and shared ones. *)
Definition words_seen (p : Z) (s : hstate) : list (Z * Z) * list (Z * Z) :=
  (map_to_list (v_private (view_of p s)), map_to_list (v_shared (view_of p s))).

Example it_runs : match step life start with Some (Ok _ _) => true | _ => false end = true /\
  words_seen 3 running = ([(0x40001008, 99)], [(0x40003008, 7)]) /\
    words_seen 0 running = ([(0x40002008, 5)], [(0x40003008, 7)]).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The premises hold, of the state at start and after the run. *)
Example start_ok : last_batch start /\ host_table_ok start.
Proof. split; [apply last_batchb_ok | apply host_tableb_ok]; vm_compute; reflexivity. Qed.
Example running_ok : last_batch running /\ host_table_ok running.
Proof. split; [apply last_batchb_ok | apply host_tableb_ok]; vm_compute; reflexivity. Qed.

(** A batch of another CPU is pending: VM 3 stores 77 there. The view is of the moment after it. *)
Definition pending : hstate := set_mem (mkmem (m_words (st_mem running)) [] [[(1, (0x40001008, 77))]]) running.
Example pending_seen : last_batch pending /\ words_seen 3 pending = ([(0x40001008, 77)], [(0x40003008, 7)]).
Proof. split; [apply last_batchb_ok; vm_compute; reflexivity | vm_compute; reflexivity]. Qed.

(** * The host's accesses *)

(** What a call returns, and the words of VM 3 afterwards. *)
Definition did (c : ident * list Z) (s : hstate) : option (Z * (list (Z * Z) * list (Z * Z))) :=
  match call MemManager.Interface.L (fst c) (snd c) s with Some (Ok v t) => Some (v, words_seen 3 t) | _ => None end.

(** A store to the VM's private frame faults; one to the host's own frame is made and not seen; one to the shared
    frame is made and seen. *)
Example stores :
  did ("mem_store_ref", [0; 0x40001008; 1]) running = Some (0, ([(0x40001008, 99)], [(0x40003008, 7)])) /\
  did ("mem_store_ref", [0; 0x40002010; 1]) running = Some (1, ([(0x40001008, 99)], [(0x40003008, 7)])) /\
  did ("mem_store_ref", [0; 0x40003008; 1]) running = Some (1, ([(0x40001008, 99)], [(0x40003008, 5)])) /\
  did ("mem_store_ref", [0; 0x40001008; 1]) pending = Some (0, ([(0x40001008, 77)], [(0x40003008, 7)])).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** What the theorem says of these stores. *)
Example stores_respect a r w s' : mem_store_ref_spec [0; a; r] running = Some (Ok w s') ->
  same_but_shared (view_of 3 running) (view_of 3 s').
Proof.
  destruct running_ok as [L I]. apply host_table_isolated in I.
  exact (fun E => proj1 (access_respects PTE_WRITE store_word 0 3 a r running s' w (or_intror eq_refl) (or_intror
    eq_refl)
    (fun N => eq_ind 3 (fun z => match z with 0 => False | _ => True end) Logic.I 0 N) I L E)).
Qed.

(** The same state with another secret: the host's view is equal, and so is what it loads, whatever the address. *)
Definition with_word (w : Z) (s : hstate) : hstate := set_mem (mkmem (<[0x40001008 := w]> (m_words (st_mem s))) [] [])
  s.
Definition other_secret : hstate := with_word 98 running.

Lemma with_word_unseen w s : m_script (st_mem s) = [] -> may_touch 0 (frames_now s !! 0x40001) = false ->
  view_of 0 (with_word w s) = view_of 0 s.
Proof.
  intros Sc T. assert (W : words_now (with_word w s) = <[0x40001008 := w]> (words_now s)).
  { unfold words_now, sync_mem, with_word. cbn [m_words m_script st_mem set_mem]. now rewrite Sc. }
  assert (P : private 0 (frames_now s !! 0x40001) = false).
  { destruct (private 0 _) eqn:P; [|reflexivity]. now rewrite (private_touch _ _ P) in T. }
  unfold view_of. change (frames_now (with_word w s)) with (frames_now s). rewrite W.
  rewrite (words_of_insert (private 0)) by exact P.
  rewrite (words_of_insert (fun q => may_touch 0 q && negb (private 0 q))); [reflexivity|].
  change (frame_of_addr 0x40001008) with 0x40001. now rewrite T.
Qed.

Example secrets_differ : word (v_private (view_of 3 running)) 0x40001008 = 99 /\
  word (v_private (view_of 3 other_secret)) 0x40001008 = 98.
Proof. split; vm_compute; reflexivity. Qed.
Example host_sees_no_secret : view_of 0 other_secret = view_of 0 running.
Proof. apply with_word_unseen; vm_compute; reflexivity. Qed.
Example other_ok : host_table_ok other_secret.
Proof. apply host_tableb_ok. vm_compute. reflexivity. Qed.
Example loads_tell_nothing a r w w' s' t' : mem_load_ref_spec [0; a; r] running = Some (Ok w s') ->
  mem_load_ref_spec [0; a; r] other_secret = Some (Ok w' t') -> w = w' /\ cpu_regs (st_cpu s') = cpu_regs (st_cpu t').
Proof.
  assert (Rg : forall s, cpu_regs (st_cpu s) = cpu_regs (st_cpu (with_word 98 s))) by reflexivity.
  exact (load_reads_its_view 0 a r running other_secret s' t' w w' (host_table_isolated _ (proj2 running_ok))
    (host_table_isolated _ other_ok) (eq_sym host_sees_no_secret) (Rg running)).
Qed.

(** * Devices *)

Definition bank_isolatedb (p b : Z) (s : hstate) : bool :=
  forallb (fun x => negb (bank_of_page (fst x) =? b) || may_touch p (frames_now s !! entry_frame (snd (snd x))))
    (map_to_list (devices_now s)).
Lemma bank_isolatedb_ok p b s : bank_isolatedb p b s = true -> bank_isolated p b s.
Proof.
  intros B permission a pa _ Tr. unfold smmu_translate in Tr.
  destruct (leaves (now (st_spt s)) !! bank_page b a) as [[l e]|] eqn:E; [|discriminate Tr].
  destruct (lets _ _ _); [|discriminate Tr]. injection Tr as <-. rewrite page_frame.
  assert (I : In (bank_page b a, (l, e)) (map_to_list (devices_now s)))
    by (apply elem_of_list_In, elem_of_map_to_list; exact E).
  apply (proj1 (forallb_forall _ _) B) in I. cbn [fst snd] in I. rewrite bank_of_bank_page, Z.eqb_refl in I. exact I.
Qed.

(** Bank 1 of the host reaches frame 0x40000; a store through it is made, and VM 3 does not see it; an address that is
    not mapped faults. *)
Definition with_dma : hstate := after_calls [("update_smmu_page", [0; 1; 0; 0x8000; 0x400007c7])] running.
Example dma_ok : last_batch with_dma /\ bank_isolated 0 (bank 1 0) with_dma.
Proof. split; [apply last_batchb_ok | apply bank_isolatedb_ok]; vm_compute; reflexivity. Qed.
Example dma : did ("dev_store_ref", [1; 0; 0x8008; 1]) with_dma = Some (1, ([(0x40001008, 99)], [(0x40003008, 7)])) /\
  did ("dev_store_ref", [1; 0; 0x9008; 1]) with_dma = Some (0, ([(0x40001008, 99)], [(0x40003008, 7)])).
Proof. split; vm_compute; reflexivity. Qed.

(** A bank whose table leads to the VM's frame is not isolated, and its device's store is seen. *)
Definition with_leak : hstate :=
  set_spt (free_cell (mkpmap {[ bank_page (bank 1 0) 0x8000 := (2%nat, 0x400017c7) ]} ∅ ∅) []) running.
Example dma_leaks : bank_isolatedb 0 (bank 1 0) with_leak = false /\
  did ("dev_store_ref", [1; 0; 0x8008; 1]) with_leak = Some (1, ([(0x40001008, 5)], [(0x40003008, 7)])).
Proof. split; vm_compute; reflexivity. Qed.

(** * Without isolation *)

(** A host's table that maps the VM's private frame: the store is made and seen, the loads tell the secret. *)
Definition leaky (s : hstate) : hstate := after_calls [("map_s2pt", [0; 0x40001000; 3; 0x40001fff])] s.
Definition loaded (r : Z) (s : hstate) : option (Z * Z) :=
  match call MemManager.Interface.L "mem_load_ref" [0; 0x40001008; r] s with
  | Some (Ok v t) => Some (v, reg_get (default X0 (user_reg r)) (cpu_regs (st_cpu t)))
  | _ => None
  end.
Example not_isolated : host_tableb (leaky running) = false /\
  did ("mem_store_ref", [0; 0x40001008; 1]) (leaky running) = Some (1, ([(0x40001008, 5)], [(0x40003008, 7)])) /\
  loaded 2 (leaky running) = Some (1, 99) /\ loaded 2 (leaky other_secret) = Some (1, 98).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Frame 0, if it were tracked: an entry of frame 0 counts as empty, so the host does not lose it. *)
Definition start0 : hstate := set_s2 (free_cell (<[0 := Host 0]> (frames_now start)) []) start.
Definition zero_lost : hstate := after_calls [("map_page_host", [0]); ("assign_pfn_to_vm", [3; 7; 0])] start0.
Example frame_zero : frames_now zero_lost !! 0 = Some (Vm 3 (Shared 0) (Some 7)) /\
  did ("mem_store_ref", [0; 0x8; 1]) (set_cpu (st_cpu running) zero_lost) = Some (1, ([(0x8, 5)], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** * Operations *)

(** Operations for others leave VM 3's view as it is; one that names it changes it. *)
Definition others_calls : list (ident * list Z) :=
  [("map_page_host", [0x40000000]); ("assign_pfn_to_vm", [2; 7; 0x40000]); ("clear_vm_page", [2; 0x40001]);
    ("grant_vm_page", [2; 0x40001]);
   ("revoke_vm_page", [0; 0x40003]); ("update_smmu_page", [0; 1; 0; 0x8000; 0x40000747])].
Example others_leave_it : map (fun c => did c running) others_calls = repeat (Some (0, ([(0x40001008, 99)],
  [(0x40003008, 7)]))) 6.
Proof. vm_compute. reflexivity. Qed.
Example not_addressed : banks_now running = ∅ /\ Forall (fun c => ~ addressed 3 ∅ (fst c) (snd c)) others_calls.
Proof.
  split; [vm_compute; reflexivity|]. unfold others_calls.
  repeat apply List.Forall_cons; try apply List.Forall_nil; cbn; try discriminate.
  - auto.
  - intros (u & cb & ix & l & E & B). rewrite lookup_empty in B. discriminate B.
Qed.
Example its_own : did ("revoke_vm_page", [3; 0x40003]) running = Some (0, ([(0x40001008, 99);
  (0x40003008, 7)], [])) /\
  did ("clear_vm_page", [3; 0x40001]) running = Some (0, ([], [(0x40003008, 7)])).
Proof. split; vm_compute; reflexivity. Qed.

(** The host gives VM 3 its frame 0x40002 with the word that is in it. *)
Example gift : did ("assign_pfn_to_vm", [3; 9; 0x40002]) running =
  Some (0, ([(0x40002008, 5); (0x40001008, 99)], [(0x40003008, 7)])).
Proof. vm_compute. reflexivity. Qed.
