(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: examples by computation.  The specification and the code run by
    the interpreter agree with written values: ranges that are given, shared and taken
    back, arguments of the host that are refused, and other CPUs that act between two
    steps of a block; one that does not keep the VM's frames shows why that is asked. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.pagetable Require Import Leaves.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemManager Require Import Safe.
From SeKVM.layers.MemoryOps Require Import Code Interface Safe Total Stays.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A few frames are the host's, one KCore's and one VM 2's; a block is the host's. *)
Definition hosts (ps : list Z) : gmap Z page := list_to_map (map (fun p => (p, Host 0)) ps).
Definition frames : gmap Z page :=
  <[0x40203 := Core]> (<[0x40403 := Vm 2 (Shared 0) (Some 5)]>
    (hosts (seqZ 0x40000 4 ++ seqZ 0x40200 5 ++ seqZ 0x40400 5))).
Definition block : gmap Z page := hosts (seqZ 0x40000 513).
Definition start_from (m : gmap Z page) (script : list (list (Z * gmap Z page))) : hstate :=
  set_s2 (free_cell m script)
    (set_mem (mkmem {[ 0x40001008 := 99 ]} [] []) (init_all_maps (fun _ => []) [] (quiet 0))).
Definition start : hstate := start_from frames [].

Definition by_spec : stepper hstate := call MemoryOps.Interface.L.
Definition by_c : stepper hstate := by_code code MemManager.Interface.L.

(** Observed: the frames of [ps], and whether the map of frames is locked. *)
Definition obs (ps : list Z) (s : hstate) : list (option page) * bool :=
  (map (fun p => c_val (st_s2 s) !! p) ps, c_held (st_s2 s)).
Definition agree (s : hstate) (cs : list (ident * list Z)) (ps : list Z) (v : list Z * ended * (list (option page) * bool))
  : Prop :=
  observe by_spec (obs ps) cs s = v /\ observe by_c (obs ps) cs s = v.
Notation priv v g := (Some (Vm v (Shared 0) (Some g))).

(** A page: its frame is the VM's and its entry names it. *)
Example one_page :
  agree start [("prot_and_map_vm_s2pt", [3; 0x7123; 0x40001747; 3]); ("walk_s2pt", [3; 0x7000])] [0x40001; 0x40002]
    ([0; 0x40001fff], Finished, ([priv 3 7; Some (Host 0)], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** A block: the page named lies anywhere in it.  What is shared and taken back is the frame at the page's
    place in the block.  The run of the code is checked here and not kept: it takes the independent checker, which has
    no virtual machine, as long as all other examples together. *)
Definition block_calls : list (ident * list Z) :=
  [("prot_and_map_vm_s2pt", [3; 0x345000; 0x40000747; 2]); ("walk_s2pt", [3; 0x200000]); ("walk_s2pt", [3; 0x3ff000]);
   ("grant_stage2_sg_gpa", [3; 0x345000; 0x2000]); ("revoke_stage2_sg_gpa", [3; 0x346000; 0x1000])].
Definition block_result : list Z * ended * (list (option page) * bool) :=
  ([0; 0x40000ffd; 0x40000ffd; 0; 0], Finished,
   ([priv 3 0x200; priv 3 0x344; Some (Vm 3 (Shared 1) (Some 0x345)); priv 3 0x346; priv 3 0x347; priv 3 0x3ff;
     Some (Host 0)], false)).
Definition block_run (step : stepper hstate) : list Z * ended * (list (option page) * bool) :=
  observe step (obs [0x40000; 0x40144; 0x40145; 0x40146; 0x40147; 0x401ff; 0x40200]) block_calls (start_from block []).
Example whole_block : block_run by_spec = block_result.
Proof. vm_compute. reflexivity. Qed.
Succeed Definition whole_block_by_c : block_run by_c = block_result := ltac:(vm_compute; reflexivity).

(** Every level but 2 is a page. *)
Example other_level :
  agree start [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 7]); ("walk_s2pt", [3; 0x7000])] [0x40001]
    ([0; 0x40001fff], Finished, ([priv 3 7], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Sharing three pages and a bit: the second is not mapped and is passed over. *)
Definition two_pages : list (ident * list Z) :=
  [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]); ("prot_and_map_vm_s2pt", [3; 0x9000; 0x40002000; 3])].
Example sharing :
  agree start (two_pages ++ [("grant_stage2_sg_gpa", [3; 0x7fff; 0x2001])]) [0x40001; 0x40002]
    ([0; 0; 0], Finished, ([Some (Vm 3 (Shared 1) (Some 7)); Some (Vm 3 (Shared 1) (Some 9))], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example sharing_less :
  agree start (two_pages ++ [("grant_stage2_sg_gpa", [3; 0x7000; 0x2000])]) [0x40001; 0x40002]
    ([0; 0; 0], Finished, ([Some (Vm 3 (Shared 1) (Some 7)); priv 3 9], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example sharing_nothing :
  agree start (two_pages ++ [("grant_stage2_sg_gpa", [3; 0x7000; 0])]) [0x40001; 0x40002]
    ([0; 0; 0], Finished, ([priv 3 7; priv 3 9], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example taking_back :
  agree start (two_pages ++ [("grant_stage2_sg_gpa", [3; 0x7000; 0x3000]); ("grant_stage2_sg_gpa", [3; 0x7000; 0x1000]);
                             ("revoke_stage2_sg_gpa", [3; 0x7000; 0x3000])]) [0x40001; 0x40002]
    ([0; 0; 0; 0; 0], Finished, ([Some (Vm 3 (Shared 1) (Some 7)); priv 3 9], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Taking a VM's memory back leaves what is not the VM's. *)
Example cleared :
  agree start (two_pages ++ [("clear_vm_range", [3; 0x40000; 3]); ("clear_vm_range", [3; 0x40202; 2]);
                             ("clear_vm_range", [3; 0x40402; 2])])
    [0x40001; 0x40002; 0x40203; 0x40403]
    ([0; 0; 0; 0; 0], Finished, ([Some (Host 0); Some (Host 0); Some Core; priv 2 5], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example cleared_range_only :
  agree start (two_pages ++ [("clear_vm_range", [3; 0x40002; 1])]) [0x40001; 0x40002]
    ([0; 0; 0], Finished, ([priv 3 7; Some (Host 0)], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Refused before anything is given away: a block that is none of the hardware, addresses
    of more than 48 bits, and what is no VM. *)
Definition refused (c : ident * list Z) : Prop :=
  agree start [c] [0x40000; 0x40001] ([], Panicked, ([Some (Host 0); Some (Host 0)], false)).
Example attacks :
  Forall refused
    [("prot_and_map_vm_s2pt", [3; 0x200000; 0x40001000; 2]); ("prot_and_map_vm_s2pt", [3; 0x1000000007000; 0x40001000; 3]);
     ("prot_and_map_vm_s2pt", [3; 0xffffffffffe00000; 0x40000000; 2]); ("prot_and_map_vm_s2pt", [0; 0x7000; 0x40001000; 3]);
     ("prot_and_map_vm_s2pt", [16; 0x7000; 0x40001000; 3]); ("prot_and_map_vm_s2pt", [17; 0x7000; 0x40000000; 2])].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** KCore's frame, another VM's, and one that nobody tracks are not given away, alone or in
    a block; the machine stops with nothing mapped. *)
Example foreign :
  Forall (fun c => agree start [c] [0x40203; 0x40403] ([], Panicked, ([Some Core; priv 2 5], true)))
    [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40203000; 3]); ("prot_and_map_vm_s2pt", [3; 0x7000; 0x40403000; 3]);
     ("prot_and_map_vm_s2pt", [3; 0x7000; 0x9000000; 3]); ("prot_and_map_vm_s2pt", [3; 0x200000; 0x40200000; 2]);
     ("prot_and_map_vm_s2pt", [3; 0x200000; 0x40400000; 2])].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** A VM cannot get one frame twice. *)
Example twice :
  agree start [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]); ("prot_and_map_vm_s2pt", [3; 0x8000; 0x40001000; 3])]
    [0x40001]
    ([0], Panicked, ([priv 3 7], true)).
Proof. split; vm_compute; reflexivity. Qed.

(** Two CPUs of VM 3 fault on one page.  The host may answer both with one frame, also by the
    block around it; with two frames it cannot swap what the VM has there. *)
Example one_frame :
  agree start [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]); ("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]);
               ("walk_s2pt", [3; 0x7000])] [0x40001]
    ([0; 0; 0x40001fff], Finished, ([priv 3 7], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example block_of_its_page :
  observe by_spec (obs [0x40003; 0x401ff])
    [("prot_and_map_vm_s2pt", [3; 0x203000; 0x40003000; 3]); ("prot_and_map_vm_s2pt", [3; 0x207000; 0x40000000; 2]);
     ("walk_s2pt", [3; 0x203000])] (start_from block [])
  = ([0; 0; 0x40000ffd], Finished, ([priv 3 0x203; priv 3 0x3ff], false)).
Proof. vm_compute. reflexivity. Qed.
Example second_frame :
  agree start [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]); ("prot_and_map_vm_s2pt", [3; 0x7000; 0x40002000; 3])]
    [0x40001; 0x40002]
    ([0], Panicked, ([priv 3 7; priv 3 7], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example block_over_page :
  observe by_spec (obs [0x40200; 0x40003])
    [("prot_and_map_vm_s2pt", [3; 0x203000; 0x40200000; 3]); ("prot_and_map_vm_s2pt", [3; 0x200000; 0x40000000; 2])]
    (start_from block [])
  = ([0], Panicked, ([priv 3 0x203; priv 3 0x203], false)).
Proof. vm_compute. reflexivity. Qed.

(** Ranges that leave the address space, also by wrapping around, and callers that are no
    VM: nothing happens. *)
Example ignored :
  agree start (two_pages ++
      [("grant_stage2_sg_gpa", [3; 0x7000; 0xfffffffff9000]); ("grant_stage2_sg_gpa", [3; 0x7000; 0xffffffffffffffff]);
       ("grant_stage2_sg_gpa", [3; 0xffffffffffffffff; 0xffffffffffffffff]); ("grant_stage2_sg_gpa", [0; 0x7000; 0x1000]);
       ("grant_stage2_sg_gpa", [16; 0x7000; 0x1000]); ("grant_stage2_sg_gpa", [17; 0x7000; 0x1000]);
       ("grant_stage2_sg_gpa", [2; 0x7000; 0x1000]); ("revoke_stage2_sg_gpa", [3; 0x7000; 0x1000]);
       ("clear_vm_range", [3; 0x40001; 0xfffffffff]); ("clear_vm_range", [3; 0x40001; 0xffffffffffffffff]);
       ("clear_vm_range", [3; 0xffffffffffffffff; 2]); ("clear_vm_range", [2; 0x40001; 2]); ("clear_vm_range", [0; 0x40001; 2])])
    [0x40001; 0x40002] (repeat 0 15, Finished, ([priv 3 7; priv 3 9], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** * Other CPUs between two steps of a block *)

(** After the first frame CPU 1 gives a frame to VM 2, which keeps what VM 3 has. *)
Definition after_first : gmap Z page := <[0x40000 := Vm 3 (Shared 0) (Some 0x200)]> block.
Definition block_call : list Z := [3; 0x200000; 0x40000000; 2].
Definition neighbour : list (list (Z * gmap Z page)) := [[]; [(1, <[0x40200 := Vm 2 (Shared 0) (Some 9)]> after_first)]].
Example interleaved :
  observe by_spec (obs [0x40000; 0x401ff; 0x40200]) [("prot_and_map_vm_s2pt", block_call)] (start_from block neighbour)
  = ([0], Finished, ([priv 3 0x200; priv 3 0x3ff; priv 2 9], false)).
Proof. vm_compute. reflexivity. Qed.

(** Without the condition on the history the block's frames need not be the VM's: here
    CPU 1 takes the first frame back after it was given, and the host keeps it in spite of
    the mapping.  That is why a VM's frames are taken back only when it cannot run. *)
Definition thief : list (list (Z * gmap Z page)) := [[]; [(1, <[0x40000 := Host 0]> after_first)]].
Example stolen :
  observe by_spec (obs [0x40000; 0x40001]) [("prot_and_map_vm_s2pt", block_call); ("walk_s2pt", [3; 0x200000])]
    (start_from block thief)
  = ([0; 0x40000ffd], Finished, ([Some (Host 0); priv 3 0x201], false)).
Proof. vm_compute. reflexivity. Qed.
Example stolen_not_kept : ~ keeps_vm 3 after_first (<[0x40000 := Host 0]> after_first).
Proof.
  intros K. destruct (K 0x40000 0x200) as (u & H); [exists (Shared 0); apply lookup_insert|].
  rewrite lookup_insert in H. discriminate H.
Qed.

(** The state at start is one of those on which every call is defined. *)
Example start_ready : ready ∅ start.
Proof.
  split; [|split; [|reflexivity]].
  - intros vm V. exists (free_cell (pempty (npt_geom vm)) []). split; [exact (lookup_table 17 _ vm V)|].
    split; [symmetry; apply bool_decide_eq_false; set_solver|]. split; [apply pempty_ok | constructor].
  - split; [|constructor]. apply frames_ok_insert; [apply frames_ok_insert|]; [|reflexivity|reflexivity].
    apply start_frames_ok. unfold hosts. intros pfn q L. apply elem_of_list_to_map_2, elem_of_list_In, in_map_iff in L as (p & X & _).
    injection X as _ <-. left. reflexivity.
Qed.

(** The map of frames must not be locked on entry: undefined. *)
Example locked_entry :
  agree start [("acquire_lock_s2page", []); ("clear_vm_range", [3; 0x40001; 1])] [0x40001]
    ([0], Undefined, ([Some (Host 0)], true)).
Proof. split; vm_compute; reflexivity. Qed.

(** Steps on one page are hidden above this layer. *)
Example one_page_hidden : Forall (fun f => call MemoryOps.Interface.L f [0] start = None) hidden.
Proof. repeat constructor. Qed.

(** The history of a range with such a neighbour meets the condition. *)
Definition three : gmap Z page := list_to_map [(0x40000, Host 0); (0x40001, Host 0); (0x40500, Host 0)].
Definition first_given : gmap Z page := <[0x40000 := Vm 3 (Shared 0) (Some 0x200)]> three.
Definition both_given : gmap Z page := <[0x40500 := Vm 2 (Shared 0) (Some 9)]> first_given.
Definition history : list (Z * gmap Z page) :=
  [(0, <[0x40001 := Vm 3 (Shared 0) (Some 0x201)]> both_given); (1, both_given); (0, first_given)].
Example neighbour_history :
  match assign_range 3 0x200 0x40000 2 (start_from three [[]; [(1, both_given)]]) with
  | Some (Ok _ s) => c_log (st_s2 s) = history | _ => False end.
Proof. vm_compute. reflexivity. Qed.
Example neighbour_keeps : kept (keeps_vm 3) history.
Proof.
  assert (K : forall pfn q x, match x !! pfn with Some (Vm 3 _ (Some _)) => False | _ => True end ->
    keeps_vm 3 x (<[pfn := q]> x)).
  { intros pfn q x H. apply keeps_insert. intros g (u & E). rewrite E in H. destruct H. }
  unfold history; cbn [kept]. repeat split; apply K; vm_compute; trivial.
Qed.

(** * Other CPUs and the table *)

(** Page [g] of VM 3 gets frame [pfn] in table [p]. *)
Definition with_page (g pfn : Z) (p : pmap) : pmap :=
  match pset (npt_geom 3) 3 g (pfn * 4096 + 4095) p with Updated q | Full q | Under_block q => q end.
Definition empty : pmap := pempty (npt_geom 3).
Definition start_tables (script : list (list (Z * pmap))) : hstate :=
  set_s2 (free_cell three []) (init_all_maps (fun vm => if vm =? 3 then script else []) [] (quiet 0)).

(** The other CPU was first: its frame is the page's, and ours is refused. *)
Example too_late :
  agree (start_tables [[(1, with_page 7 0x40500 empty)]]) [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3])] [0x40001]
    ([], Panicked, ([priv 3 7], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** A CPU that does not check: what the VM has at its page is another's after all.  That is why
    the guarantee is asked of all CPUs; with the old code none gave it. *)
Example replaced :
  agree (start_tables [[]; [(1, with_page 7 0x40500 empty)]])
    [("prot_and_map_vm_s2pt", [3; 0x7000; 0x40001000; 3]); ("walk_s2pt", [3; 0x7000])] [0x40001]
    ([0; 0x40500fff], Finished, ([priv 3 7], false)).
Proof. split; vm_compute; reflexivity. Qed.
Example replaced_not_kept : ~ keeps_memory (with_page 7 0x40001 empty) (with_page 7 0x40500 empty).
Proof. intros K. specialize (K PTE_READ 0x7000 0x40001000 (or_introl eq_refl) eq_refl). discriminate K. Qed.

(** CPU 1 gives VM 3 another page between two calls of ours.  The premises of [given_stays] hold
    of this run: the script has only releases by CPU 1, which keep what was mapped. *)
Definition one_page_more : pmap := with_page 9 0x40500 (with_page 7 0x40001 empty).
Definition given : hstate :=
  match prot_and_map_vm_s2pt_spec [3; 0x7000; 0x40001000; 3] (start_tables [[]; [(1, one_page_more)]]) with
  | Some (Ok _ s) => s | _ => start end.
Definition after_given : hstate :=
  match run_calls (call T_all) [("walk_s2pt", [3; 0x9000]); ("mem_store_ref", [3; 0x7008; 0])] given with
  | Some (Ok _ s) => s | _ => start end.

Definition table_history : list (Z * pmap) :=
  [(0, one_page_more); (0, one_page_more); (1, one_page_more); (0, with_page 7 0x40001 empty)].
Example neighbour_stays :
  match st_npts given !! 3, st_npts after_given !! 3 with
  | Some c, Some c' => (c_script c, c_log c', translate PTE_WRITE (c_val c') 0x7008)
                       = ([[(1, one_page_more)]], table_history, Some 0x40001008)
  | _, _ => False
  end.
Proof. vm_compute. reflexivity. Qed.
Example neighbour_keeps_table : others_keep keeps_memory 0 table_history.
Proof.
  assert (K : keeps_memory (with_page 7 0x40001 empty) one_page_more).
  { apply (map_keeps_memory 3 3 0x9000 0x40500fff); vm_compute; reflexivity. }
  unfold table_history. generalize dependent one_page_more. intros q K. generalize dependent (with_page 7 0x40001 empty).
  intros p K. cbn [others_keep]. repeat split; intros N; trivial; now destruct N.
Qed.
