(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: loading is defined for all arguments of its C types, to its end or
    to a panic, whatever well-formed things the other CPUs publish in between.  Rests on
    [Total] of MemoryOps. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.layers.NPTOps Require Import Safe.
From SeKVM.layers.MemoryOps Require Import Total Ranges.
From SeKVM.layers.BootAux Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Total.
  Context {M : Type} (h : gset Z) (NoNpt : no_npt h).
  Notation St := (St cell pmap M (gmap Z page)).

  Lemma walked_range (s s' : St) u a e : walk_s2pt_spec [u; a] s = Some (Ok e s') -> in_range U64 e = true.
  Proof.
    unfold walk_s2pt_spec. intros E. apply p2_inv in E as (u1 & a1 & _ & _ & _ & E). unfold chk in E.
    destruct (locked_look _ _ _ _) as [[x t|t]|]; [|discriminate E|discriminate E].
    destruct (in_range U64 x) eqn:X; [|discriminate E]. now injection E as <- _.
  Qed.

  Lemma load_page_ready v g slot (s : St) : ready h s -> in_range U32 v = true -> 0 <= g < 68719476736 ->
    0 <= slot < 68719476736 -> exists r, load_page v g slot s = Some r /\ fine h r.
  Proof.
    intros R V G S0. unfold load_page.
    destruct (walk_ready h NoNpt s COREVISOR (slot * 4096) R eq_refl ltac:(bool_goal)) as (r & W & F). rewrite W.
    destruct r as [e t|t]; cbn [and_then]; [|exists (Halt t); split; [reflexivity | exact I]].
    destruct (frame_of e =? 0); [exists (Halt t); split; [reflexivity | exact I]|].
    destruct (walk_ready h NoNpt t v (g * 4096) F V ltac:(bool_goal)) as (q & W' & F'). rewrite W'.
    destruct q as [d u|u]; cbn [and_then]; [|exists (Halt u); split; [reflexivity | exact I]].
    destruct (d =? 0); [|exists (Halt u); split; [reflexivity | exact I]].
    apply (MemoryOps_defined h NoNpt "prot_and_map_vm_s2pt" [v; g * 4096; e; 3] u); [|exact F'].
    constructor; [exact V | bool_goal | exact (walked_range _ _ _ _ _ W) | reflexivity].
  Qed.

  Theorem BootAux_defined v target remap n (s : St) : ready h s ->
    in_range U32 v = true -> in_range U64 target = true -> in_range U64 remap = true -> in_range U64 n = true ->
    exists r, unmap_and_load_vm_image_spec [v; target; remap; n] s = Some r /\ fine h r.
  Proof using NoNpt.
    intros R V A B N. unfold unmap_and_load_vm_image_spec, p4. rewrite V, A, B, N.
    apply in_range_iff in A, B, N. cbn [modulus] in A, B, N. pose proof (page_of_addr _ A). pose proof (page_of_addr _ B).
    destruct (_ && _)%bool eqn:G; [|exists (Halt s); split; [reflexivity | exact I]].
    boolprop. unfold PFN_LIMIT in *. apply iterate_ready; [lia | | exact R]. intros i t I0 T.
    apply load_page_ready; [exact T | apply in_range_iff; exact V | lia | lia].
  Qed.
End Total.
